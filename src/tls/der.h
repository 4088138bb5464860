// Reading DER, as little as certificates need.
//
// A DerReader walks the elements of one level: `next` gives the tag and the contents of each. Only
// what X.509 uses is accepted: one-byte tags and definite lengths in their shortest form (up to 4
// bytes). Used on certificates that wolfSSL has verified already, but written for any bytes: a
// malformed element ends the walk and `failed` tells so. Views only, nothing is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hyperion::tls {

namespace der {
inline constexpr uint8_t boolean = 0x01;
inline constexpr uint8_t integer = 0x02;
inline constexpr uint8_t octet_string = 0x04;
inline constexpr uint8_t object_identifier = 0x06;
inline constexpr uint8_t sequence = 0x30;
// Context-specific tags, as in `[3] EXPLICIT` (constructed) and `[2] IMPLICIT IA5String`.
constexpr uint8_t context_constructed(uint8_t number) { return uint8_t(0xA0 | number); }
constexpr uint8_t context_primitive(uint8_t number) { return uint8_t(0x80 | number); }
}  // namespace der

class DerReader {
 public:
  explicit DerReader(std::string_view bytes) : rest_(bytes) {}

  // The next element: its tag, its contents, and (if wanted) the whole of it with tag and length.
  // False at the end or at the first malformed element.
  bool next(uint8_t* tag, std::string_view* contents, std::string_view* whole = nullptr) {
    if (failed_ || rest_.empty()) return false;
    size_t header = 0;
    size_t size = 0;
    if (!read_header(tag, &header, &size) || size > rest_.size() - header) {
      failed_ = true;
      return false;
    }
    *contents = rest_.substr(header, size);
    if (whole != nullptr) *whole = rest_.substr(0, header + size);
    rest_.remove_prefix(header + size);
    return true;
  }

  // The next element, which must have the tag `wanted`.
  bool expect(uint8_t wanted, std::string_view* contents, std::string_view* whole = nullptr) {
    uint8_t tag = 0;
    if (!next(&tag, contents, whole)) return false;
    if (tag != wanted) failed_ = true;
    return tag == wanted;
  }

  // The tag of the next element; 0 at the end.
  uint8_t peek_tag() const {
    return failed_ || rest_.empty() ? uint8_t{0} : static_cast<uint8_t>(rest_[0]);
  }

  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }

 private:
  bool read_header(uint8_t* tag, size_t* header, size_t* size) const {
    if (rest_.size() < 2) return false;
    *tag = static_cast<uint8_t>(rest_[0]);
    if ((*tag & 0x1F) == 0x1F) return false;  // a tag of several bytes
    auto first = static_cast<uint8_t>(rest_[1]);
    *header = 2;
    *size = first;
    if (first < 0x80) return true;
    size_t length_bytes = first & 0x7F;
    if (length_bytes == 0 || length_bytes > 4 || rest_.size() < 2 + length_bytes) return false;
    if (rest_[2] == 0) return false;  // not the shortest form
    *size = 0;
    for (size_t i = 0; i < length_bytes; ++i) {
      *size = *size << 8 | static_cast<uint8_t>(rest_[2 + i]);
    }
    *header = 2 + length_bytes;
    return *size >= 0x80;
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace hyperion::tls
