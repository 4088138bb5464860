// The texts of one head while llhttp reports them in spans.
//
// A head usually comes in one piece, so spans are kept as views into the fed bytes and all of them
// are moved to the arena by one copy when the piece is done; a span that crosses pieces is extended
// in the arena. Used by RequestParser and ResponseParser, which own the grammar. Lives in the arena
// itself, with the array of headers behind it. Fails only for want of room; it judges no text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/arena.h"
#include "http/head.h"

namespace hyperion::http {

class HeadText {
 public:
  // Longest piece between `begin_piece` and `end_piece`: it must fit one allocation of an arena.
  static constexpr size_t piece_size_max_bytes = 8 * 1024;
  // Longest single text, for the same reason.
  static constexpr size_t text_size_max_bytes = Block::capacity() - 16;

  // Room for `header_count_max` headers and the one that is one too many.
  bool start(Arena& arena, size_t header_count_max);
  // Forgets one head for the next of the same message, in the same room.
  void restart();

  void begin_piece(Arena& arena, std::string_view piece);
  // Moves all that is still in the piece to the arena. False: no room.
  bool end_piece();

  // Adds a span of the piece to the line before the headers (the request target).
  bool add_to_line(const char* at, size_t size) { return extend(line_, at, size); }
  bool add_to_name(const char* at, size_t size) { return extend(header().name, at, size); }
  bool add_to_value(const char* at, size_t size) { return extend(header().value, at, size); }

  // The header that is being read. `finish_header` ends it: trailing blanks go from its value.
  Header& header() { return headers_.items[headers_.count]; }
  void finish_header();

  std::string_view line() const { return line_; }
  const HeaderList& headers() const { return headers_; }
  // Of the current piece, for those who count.
  const char* piece_begin() const { return piece_.data(); }
  const char* piece_end() const { return piece_.data() + piece_.size(); }

 private:
  bool in_piece(std::string_view text) const {
    std::less_equal<const char*> not_after;
    return !text.empty() && not_after(piece_.data(), text.data()) &&
           not_after(text.data() + text.size(), piece_.data() + piece_.size());
  }
  bool extend(std::string_view& text, const char* at, size_t size) {
    if (size == 0) return true;
    if (!text.empty()) return extend_further(text, at, size);
    if (used_begin_ == nullptr) used_begin_ = at;
    used_end_ = at + size;
    text = {at, size};
    return true;
  }
  bool extend_further(std::string_view& text, const char* at, size_t size);

  HeaderList headers_;
  size_t headers_moved_ = 0;  // those before are in the arena already
  std::string_view line_;
  std::string_view piece_;
  const char* used_begin_ = nullptr;  // what views of the piece span
  const char* used_end_ = nullptr;
  Arena* arena_ = nullptr;  // of the piece
};

inline void HeadText::finish_header() {
  std::string_view& value = header().value;
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  ++headers_.count;
  header() = Header();
}

}  // namespace hyperion::http
