// What is said on the wire: request bodies, the plain answer and the streamed answer.
//
// Both roles take their bytes from here, so each can compare what it receives with what the other
// sent, byte for byte. Everything is a pure function of its arguments: two runs, two targets and
// wrk send the same bytes. A streamed event carries its send time as 20 decimal digits inside the
// content string, where a relay must leave it alone; all other bytes of it are fixed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hyperion::bench {

// A chat request in the OpenAI dialect whose messages hold about `prompt_bytes` bytes of prose with
// the escapes and non-ASCII letters of real prompts, in turns of at most 2 KB.
std::string make_request_body(size_t prompt_bytes, bool streamed, std::string_view model);

// The request in full, with the nine header fields a typical SDK sends.
std::string make_request(std::string_view host, std::string_view key, std::string_view body);

// About 700 bytes of chat completion with usage.
std::string make_answer_body(std::string_view model);

// Whether the first bytes of a request body (512 are enough for the bodies made here) ask for a
// streamed answer.
bool asks_for_stream(std::string_view body_start);

constexpr size_t stamp_digits = 20;

void write_stamp(char* out, int64_t time_ns);
int64_t read_stamp(const char* digits);

// A streamed answer: `events` equal events that differ in their stamp only, then the tail (a chunk
// with usage, and [DONE]).
struct StreamTemplate {
  explicit StreamTemplate(std::string_view model);

  std::string event;
  size_t stamp_offset = 0;
  std::string tail;
};

// `text` as the contents of one HTTP chunk.
std::string as_chunk(std::string_view text);

}  // namespace hyperion::bench
