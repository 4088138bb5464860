// Cuts a stream of server-sent events into whole events (WHATWG HTML 9.2.6), byte-transparently.
//
// Sans-I/O. Owned by an attempt. The splitter is given the bytes as they come and says where whole
// events end, so that the relay passes on whole events only and an error event of ours can always
// follow. The bytes themselves are never changed: what is relayed equals what was received,
// comments, CR LF, byte-order mark and all. Line ends are LF, CR LF or CR.
// A CR at the end of the input ends its line at once. If that line ended an event and an LF
// follows later, the LF comes out as a piece of its own, without data: the same bytes, the same
// events. It knows no limit: the caller bounds its buffer (Limits::sse_event_size_max_bytes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hyperion::http {

struct SseEvent {
  std::string_view raw;    // all bytes of the event with its terminating empty line, comments too
  std::string_view data;   // value of its single data line; of several the first: see multiple_data
  std::string_view event;  // value of the last event line, empty if none
  bool has_data = false;   // false: only comments, ids, retries or empty lines; never dispatched
  bool multiple_data = false;  // more than one data line: join with `join_data`
};

class SseSplitter {
 public:
  // Finds the end of the first event in `bytes`, which start at an event boundary and hold all
  // bytes of the event since then. Returns the length of the event with its terminator, or 0 if it
  // is not complete yet. Remembers how far it has looked, so that feeding a growing buffer costs
  // each byte once (the buffer may be moved in memory meanwhile). Call `reset` when the buffer's
  // start moved otherwise than by the returned length.
  size_t find_event_end(std::string_view bytes);
  void reset();

 private:
  size_t found(size_t length);

  size_t scanned_ = 0;
  bool at_line_start_ = true;
  bool after_return_ = false;  // the last byte looked at was a CR
};

// Parses one whole event (as found above); a missing last line end is tolerated. Views into `raw`.
// `at_stream_start`: these are the first bytes of the stream, where a byte-order mark is dropped.
// Cost: one pass, 16 bytes at a time.
SseEvent parse_event(std::string_view raw, bool at_stream_start = false);

// The data of an event with several data lines, joined by LF, into `out` (>= event.raw.size());
// returns its length.
size_t join_data(std::string_view raw, char* out, bool at_stream_start = false);

}  // namespace hyperion::http
