#include "routing/window.h"

#include <algorithm>
#include <bit>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "json/escapes.h"

namespace hyperion::routing {
namespace {

// At most `size` bytes of the text, ending between two escapes and two characters.
size_t whole_signs(std::string_view raw, size_t size) {
  const size_t reach = std::min<size_t>(size, 12);
  for (size_t back = 0; back < reach; ++back) {
    const size_t at = size - back;
    const bool in_character = (static_cast<unsigned char>(raw[at]) & 0xC0) == 0x80;
    // No escape is longer than six bytes; a backslash before may itself be escaped.
    const bool near_escape = raw.substr(at >= 6 ? at - 6 : 0, std::min<size_t>(at, 6)).find('\\') !=
                             std::string_view::npos;
    if (!in_character && !near_escape) return at;
  }
  // Escapes all around: count from a sure place.
  size_t at = 0;
  while (at < size) {
    const size_t step = raw[at] != '\\' ? 1 : raw[at + 1] == 'u' ? 6 : 2;
    if (at + step > size) break;
    at += step;
  }
  return at;
}

// The first place at or behind `at` that is inside no character and, as far as can be seen, in
// no escape.
size_t next_sign(std::string_view raw, size_t at) {
  const size_t end = std::min(raw.size(), at + 64);
  for (size_t i = at; i < end; ++i) {
    if (raw[i] == ' ' && raw[i - 1] != '\\') return i;
  }
  return whole_signs(raw, at);
}

// Copies what stands before the first backslash to `out`, which has room for fifteen bytes more
// than that; how many.
size_t copy_plain(const char* at, const char* end, char* out) {
  const char* const begin = at;
#ifdef __SSE2__
  constexpr ptrdiff_t step = 16;
  for (; end - at >= step; at += step, out += step) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), block);
    const int found = _mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
    if (found != 0)
      return static_cast<size_t>(at - begin) +
             static_cast<size_t>(std::countr_zero(static_cast<unsigned>(found)));
  }
#endif
  for (; at < end && *at != '\\'; ++at) *out++ = *at;
  return static_cast<size_t>(at - begin);
}

// Of the escape that `at` begins with, of which `left` bytes are there; 0 if it is cut.
size_t escape_length(const char* at, ptrdiff_t left) {
  if (left < 2) return 0;
  if (at[1] != 'u') return 2;
  if (left < 6) return 0;
  const bool first_half = (at[2] | 0x20) == 'd' && at[3] != '\0' && std::strchr("89abAB", at[3]);
  return !first_half ? 6 : left < 12 ? 0 : 12;
}

}  // namespace

Window::Window(std::span<const std::string_view> texts) {
  take(texts);
  const size_t blocks = map_count() + 1;
  std::memset(bytes_.data() + size_, '\n', blocks * map_bytes - size_);
  read_byte_maps(bytes_.data(), blocks, maps_.data());
}

void Window::take(std::span<const std::string_view> texts) {
  size_t room = head_bytes;
  size_t part = 0;
  size_t taken = 0;  // of texts[part]
  for (; part < texts.size() && room > 0; ++part) {
    taken = std::min(room, texts[part].size());
    if (taken < texts[part].size()) taken = whole_signs(texts[part], taken);
    append(texts[part].substr(0, taken), Seam::newline);
    room -= std::min(room, texts[part].size());
    if (taken < texts[part].size()) break;
  }
  if (part == texts.size()) return;
  // From the end backwards, not beyond what the head has.
  room = tail_bytes;
  size_t first = texts.size();
  size_t from = 0;
  while (first > part && room > 0) {
    --first;
    const size_t begin = first == part ? taken : 0;
    const size_t size = std::min(room, texts[first].size() - begin);
    from = texts[first].size() - size;
    if (from > begin) from = next_sign(texts[first], from);
    room -= size;
  }
  for (size_t i = first; i < texts.size(); ++i, from = 0) {
    // What was left out is as good as a blank: whether there was a line's end nobody knows.
    const Seam seam = i > part ? Seam::newline : from > taken ? Seam::blank : Seam::none;
    append(texts[i].substr(from), seam);
    left_out_ |= seam == Seam::blank;
  }
  left_out_ |= first > part;
}

// Copies up to the next backslash, sixteen bytes at a time; then one escape.
void Window::append(std::string_view raw, Seam seam) {
  if (seam != Seam::none && size_ > 0 && size_ < size_max)
    bytes_[size_++] = seam == Seam::blank ? ' ' : '\n';
  const char* at = raw.data();
  const char* const end = at + raw.size();
  while (at < end && size_ < size_max) {
    const size_t plain = copy_plain(at, end, bytes_.data() + size_);
    size_ += plain;
    at += plain;
    if (size_ >= size_max || at == end) break;
    // A pair of surrogates is the longest.
    constexpr ptrdiff_t escape_max = 12;
    const size_t length = escape_length(at, std::min(end - at, escape_max));
    if (length == 0) break;
    const size_t room = size_max - size_;
    size_ += std::min(room, json::unescape({at, length}, bytes_.data() + size_, room));
    at += length;
  }
  size_ = std::min(size_, size_max);
}

}  // namespace hyperion::routing
