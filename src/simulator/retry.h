// How providers say when to come back, each in its own spelling.
//
// Called by the delivery of a connection, for the faults that name a delay, and by the dialects.
// Pure: the time is an argument, in seconds since 1970. Every function appends and cannot fail; a
// time beyond the year 9999 is written as its last second. Shapes: RFC 9110 5.6.7 (dates in
// headers), RFC 3339 (Anthropic's resets), Go's durations (OpenAI's resets, `1m30s`), and
// protobuf's durations in JSON (google.rpc.RetryInfo, `34.4s`), as recorded from the providers.
#pragma once

#include <cstdint>
#include <string>

namespace hyperion::simulator {

void append_http_date(std::string& out, uint64_t unix_s);  // Sun, 06 Nov 1994 08:49:37 GMT
void append_rfc3339(std::string& out, uint64_t unix_s);    // 1994-11-06T08:49:37Z
void append_go_duration(std::string& out, uint64_t s);     // 1h0m5s, 1m30s, 6s, 0s
void append_seconds(std::string& out, uint64_t ms);        // 34.4s, 13s, 0.001s

// The lines of a head that say that a limit of requests is used up and when it is reset, each with
// CR LF; beside them stand those of limits that are not used up.
using LimitWriter = void (*)(std::string& out, uint64_t reset_s, uint64_t unix_s);

}  // namespace hyperion::simulator
