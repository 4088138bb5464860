#include "http/sse_splitter.h"

#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace hyperion::http {

namespace {

// The first CR or LF at or after `from`, or the end.
size_t find_line_end(std::string_view bytes, size_t from) {
  size_t at = from;
#if defined(__SSE2__)
  const __m128i returns = _mm_set1_epi8('\r');
  const __m128i line_feeds = _mm_set1_epi8('\n');
  while (bytes.size() - at >= 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.data() + at));
    const int mask = _mm_movemask_epi8(
        _mm_or_si128(_mm_cmpeq_epi8(block, returns), _mm_cmpeq_epi8(block, line_feeds)));
    if (mask != 0) return at + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
    at += 16;
  }
#endif
  while (at < bytes.size() && bytes[at] != '\r' && bytes[at] != '\n') ++at;
  return at;
}

// Takes one line off the front of `rest`, with its line end.
std::string_view take_line(std::string_view& rest) {
  const size_t end = find_line_end(rest, 0);
  const std::string_view line = rest.substr(0, end);
  size_t next = end;
  if (next < rest.size() && rest[next] == '\r') {
    ++next;
    if (next < rest.size() && rest[next] == '\n') ++next;
  } else if (next < rest.size()) {
    ++next;
  }
  rest.remove_prefix(next);
  return line;
}

struct Field {
  std::string_view name;
  std::string_view value;
};

// A comment is a field with an empty name.
Field split_line(std::string_view line) {
  const void* found = line.empty() ? nullptr : std::memchr(line.data(), ':', line.size());
  if (found == nullptr) return {line, {}};
  const size_t colon = static_cast<size_t>(static_cast<const char*>(found) - line.data());
  std::string_view value = line.substr(colon + 1);
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  return {line.substr(0, colon), value};
}

std::string_view without_mark(std::string_view raw, bool at_stream_start) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (at_stream_start && raw.substr(0, 3) == byte_order_mark) raw.remove_prefix(3);
  return raw;
}

}  // namespace

void SseSplitter::reset() { *this = SseSplitter(); }

size_t SseSplitter::found(size_t length) {
  reset();
  return length;
}

size_t SseSplitter::find_event_end(std::string_view bytes) {
  while (scanned_ < bytes.size()) {
    const char c = bytes[scanned_];
    if (after_return_ && c == '\n') {
      // Second half of a line end that was counted already.
      after_return_ = false;
      ++scanned_;
      continue;
    }
    if (at_line_start_ && (c == '\r' || c == '\n')) {
      const bool line_feed_follows =
          c == '\r' && scanned_ + 1 < bytes.size() && bytes[scanned_ + 1] == '\n';
      return found(scanned_ + (line_feed_follows ? 2 : 1));
    }
    const size_t end = find_line_end(bytes, scanned_);
    at_line_start_ = end < bytes.size();
    after_return_ = at_line_start_ && bytes[end] == '\r';
    scanned_ = end + (at_line_start_ ? 1 : 0);
  }
  return 0;
}

SseEvent parse_event(std::string_view raw, bool at_stream_start) {
  SseEvent event;
  event.raw = raw;
  std::string_view rest = without_mark(raw, at_stream_start);
  while (!rest.empty()) {
    const Field field = split_line(take_line(rest));
    if (field.name == "data") {
      if (event.has_data) {
        event.multiple_data = true;
      } else {
        event.data = field.value;
        event.has_data = true;
      }
    } else if (field.name == "event") {
      event.event = field.value;
    }
  }
  return event;
}

size_t join_data(std::string_view raw, char* out, bool at_stream_start) {
  size_t size = 0;
  bool first = true;
  std::string_view rest = without_mark(raw, at_stream_start);
  while (!rest.empty()) {
    const Field field = split_line(take_line(rest));
    if (field.name != "data") continue;
    if (!first) out[size++] = '\n';
    first = false;
    if (field.value.empty()) continue;
    std::memcpy(out + size, field.value.data(), field.value.size());
    size += field.value.size();
  }
  return size;
}

}  // namespace hyperion::http
