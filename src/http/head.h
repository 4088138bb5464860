// A parsed HTTP/1.1 head, as views into an arena.
//
// Filled by RequestParser and ResponseParser, read by the gateway, the upstream connection and the
// simulator. Views live as long as the arena that the parser was given. Names are kept as they
// came; comparisons ignore case.
// Holds no policy: what is acceptable was decided by the parser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hyperion::http {

struct Header {
  std::string_view name;
  std::string_view value;
};

// Upper bound of the header count any conf may allow; the array is part of every head's storage.
inline constexpr size_t headers_max_count = 128;

enum class Method : uint8_t { get, head, post, put, patch, delete_, options, other };

enum class Framing : uint8_t { none, content_length, chunked, until_close };

bool equal_bytes_ignoring_case(const char* a, const char* b, size_t size);

// ASCII case only, whatever the locale. Nearly all names differ in their length already.
inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && equal_bytes_ignoring_case(a.data(), b.data(), a.size());
}

struct HeaderList {
  Header* items = nullptr;
  size_t count = 0;

  // The value of the first header of that name; data() is nullptr if there is none.
  std::string_view find(std::string_view name) const;
};

struct RequestHead {
  Method method = Method::other;
  std::string_view target;  // as sent: origin form, or the path part of a checked absolute form
  std::string_view path;    // target without the query
  std::string_view query;   // without '?'
  std::string_view host;
  HeaderList headers;
  Framing framing = Framing::none;
  uint64_t content_length = 0;
  uint8_t minor_version = 1;
  bool keep_alive = true;
  bool expects_continue = false;  // only set when a body follows
};

struct ResponseHead {
  uint16_t status = 0;
  HeaderList headers;
  Framing framing = Framing::none;
  uint64_t content_length = 0;
  uint8_t minor_version = 1;
  bool keep_alive = true;
};

}  // namespace hyperion::http
