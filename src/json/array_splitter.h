// Cuts a JSON array that is streamed into whole elements, byte-transparently.
//
// Sans-I/O; the counterpart of http::SseSplitter for Gemini's `:streamGenerateContent` without
// `alt=sse`, whose body is one array of answers. Owned by an attempt. Given the bytes as they come,
// it says where a piece ends: the brackets, commas and blanks before an element, and the element to
// its last byte. What is relayed in whole pieces is a valid array but for its closing bracket, so
// that an error element of ours and the bracket can always follow. The bytes are never changed.
// The array's end is a piece of its own, without an element, and so are blanks after it.
//
// Brackets and strings are followed, the grammar within an element is not judged: whoever reads the
// element does that. Anything but an array, brackets that do not match and nesting beyond
// `depth_max` are malformed, and nothing is found from then on. It knows no limit of size: the
// caller bounds its buffer. Costs about 1 ns a byte, each byte once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hyperion::json {

class ArraySplitter {
 public:
  static constexpr unsigned depth_max = 64;  // within an element

  // Finds the end of the first piece in `bytes`, which start where the last piece ended. Returns
  // its length, or 0 if it is not complete yet. Remembers how far it has looked, so that a growing
  // buffer costs each byte once (it may be moved in memory meanwhile).
  size_t find_piece_end(std::string_view bytes);

  // Of the piece just found: where its element begins. The length of the piece if it has none.
  size_t element_begin() const { return element_begin_; }

  // The closing bracket was passed.
  bool finished() const { return place_ == Place::after_array; }
  // The bytes are no array; they must not be relayed as one.
  bool malformed() const { return place_ == Place::malformed; }

 private:
  enum class Place : uint8_t {
    before_array,
    before_first,    // after '[': an element, or ']'
    before_element,  // after ','
    after_element,   // ',' or ']'
    in_container,
    in_string,
    after_backslash,
    in_scalar,
    after_array,
    malformed,
  };

  void step(char c);
  void begin_value(char c);
  void open(char c);
  void close(char c);
  void end_array();
  size_t found(size_t length);
  size_t fail();

  size_t scanned_ = 0;
  size_t begin_ = 0;  // of the element, once it has begun
  size_t element_begin_ = 0;
  uint64_t braces_ = 0;  // one bit for each open bracket: 1 for '{'; the innermost is the lowest
  unsigned depth_ = 0;
  Place place_ = Place::before_array;
  bool ended_ = false;  // the byte just looked at was the last of a piece
};

}  // namespace hyperion::json
