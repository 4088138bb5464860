// The process's own log: start-up, reloads, warnings. Not the request log (base/log_ring.h).
//
// One line to stderr for each call, written by one system call: time (UTC), level, text. Control
// bytes, backslashes and bytes that are not UTF-8 are escaped, long texts cut, so that nothing a
// peer chose can start a line or drive a terminal. Any thread may call; nothing is allocated and
// nothing is returned, since there is nobody to tell that stderr is gone. The call may block when
// whoever reads stderr has stopped: never used on the request path. Callers put no secret and no
// prompt in here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hyperion {

enum class LogLevel : uint8_t { debug, info, warning, error };

// Writes `text` if `level` is at least the threshold (info unless set).
void log(LogLevel level, std::string_view text);
inline void log_info(std::string_view text) { log(LogLevel::info, text); }
inline void log_warning(std::string_view text) { log(LogLevel::warning, text); }
inline void log_error(std::string_view text) { log(LogLevel::error, text); }

void set_log_level(LogLevel threshold);
// Where lines go instead of stderr; for tests. The descriptor stays the caller's.
void set_log_descriptor(int descriptor);

// A line is at most this long, line feed included; a cut text ends in "...".
inline constexpr size_t log_line_max_bytes = 2048;

// Writes `text` escaped to `out`; returns the bytes written. Stops before what no longer fits whole
// (`cut` says so). Line feeds become \n, other control bytes and bytes outside UTF-8 \xNN.
size_t escape_for_log(std::string_view text, char* out, size_t capacity, bool& cut);

}  // namespace hyperion
