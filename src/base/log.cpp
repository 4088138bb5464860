#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace hyperion {
namespace {

std::atomic<int> descriptor{STDERR_FILENO};
std::atomic<LogLevel> threshold{LogLevel::info};

const char* name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
  }
  return "error";
}

bool is_continuation(unsigned char c) { return (c & 0xC0) == 0x80; }

// The length of the character at the front of `text`, 0 if it is not UTF-8 (RFC 3629, section 4).
size_t utf8_length(std::string_view text) {
  auto at = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (!is_continuation(static_cast<unsigned char>(at(1)))) return 0;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (!is_continuation(static_cast<unsigned char>(at(2)))) return 0;
  if (lead == 0xE0) return at(1) >= 0xA0 ? 3 : 0;
  if (lead == 0xED) return at(1) <= 0x9F ? 3 : 0;
  if (lead > 0xE0 && lead <= 0xEF) return 3;
  if (!is_continuation(static_cast<unsigned char>(at(3)))) return 0;
  if (lead == 0xF0) return at(1) >= 0x90 ? 4 : 0;
  if (lead == 0xF4) return at(1) <= 0x8F ? 4 : 0;
  return lead > 0xF0 && lead < 0xF4 ? 4 : 0;
}

// Writes the escaped form of one byte to `out` (at least 4 bytes); returns its length.
size_t escape_byte(unsigned char c, char* out) {
  constexpr char digits[] = "0123456789abcdef";
  out[0] = '\\';
  switch (c) {
    case '\n': out[1] = 'n'; return 2;
    case '\r': out[1] = 'r'; return 2;
    case '\t': out[1] = 't'; return 2;
    case '\\': out[1] = '\\'; return 2;
    default:
      out[1] = 'x';
      out[2] = digits[c >> 4];
      out[3] = digits[c & 15];
      return 4;
  }
}

size_t write_time(char* out, size_t capacity) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  size_t size = strftime(out, capacity, "%Y-%m-%dT%H:%M:%S", &parts);
  int more = std::snprintf(out + size, capacity - size, ".%03dZ ",
                           static_cast<int>(now.tv_nsec / 1'000'000));
  return size + static_cast<size_t>(more);
}

}  // namespace

size_t escape_for_log(std::string_view text, char* out, size_t capacity, bool& cut) {
  size_t size = 0;
  cut = false;
  while (!text.empty()) {
    auto c = static_cast<unsigned char>(text[0]);
    size_t taken = utf8_length(text);
    // U+0080 to U+009F are control characters too.
    bool control = c < 0x20 || c == 0x7F || c == '\\' ||
                   (c == 0xC2 && taken == 2 && static_cast<unsigned char>(text[1]) < 0xA0);
    char escaped[4];
    std::string_view form = text.substr(0, taken);
    if (control || taken == 0) {
      form = {escaped, escape_byte(c, escaped)};
      taken = 1;
    }
    cut = size + form.size() > capacity;
    if (cut) return size;
    std::memcpy(out + size, form.data(), form.size());
    size += form.size();
    text.remove_prefix(taken);
  }
  return size;
}

void log(LogLevel level, std::string_view text) {
  if (level < threshold.load(std::memory_order_relaxed)) return;
  constexpr std::string_view ellipsis = "...";
  char line[log_line_max_bytes];
  size_t size = write_time(line, sizeof(line));
  size +=
      static_cast<size_t>(std::snprintf(line + size, sizeof(line) - size, "%-7s ", name_of(level)));
  bool cut = false;
  size += escape_for_log(text, line + size, sizeof(line) - size - ellipsis.size() - 1, cut);
  if (cut) {
    std::memcpy(line + size, ellipsis.data(), ellipsis.size());
    size += ellipsis.size();
  }
  line[size++] = '\n';
  int saved = errno;
  for (size_t at = 0; at < size;) {
    ssize_t written = ::write(descriptor.load(std::memory_order_relaxed), line + at, size - at);
    if (written < 0 && errno != EINTR) break;
    if (written > 0) at += static_cast<size_t>(written);
  }
  errno = saved;
}

void set_log_level(LogLevel level) { threshold.store(level, std::memory_order_relaxed); }
void set_log_descriptor(int to) { descriptor.store(to, std::memory_order_relaxed); }

}  // namespace hyperion
