// Cuts a stream of server-sent events into whole events (WHATWG HTML 9.2.6), byte-transparently.
//
// Sans-I/O. Owned by an attempt. `feed` is given the bytes as they come; it reports where whole events end, so that the relay
// passes on whole events only and an error event of ours can always follow. The bytes themselves are never
// changed: what is relayed equals what was received, comments, CR LF, byte-order mark and all. Line ends are LF, CR LF or CR.
// A CR at the end of the input ends its line at once; an LF that follows later belongs to that line end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hyperion::http {

struct SseEvent {
  std::string_view raw;    // all bytes of the event with its terminating empty line, comments included
  std::string_view data;   // value of its single data line; of several: see multiple_data
  std::string_view event;  // value of the last event line, empty if none
  bool has_data = false;   // false: only comments, ids, retries or empty lines; never dispatched
  bool multiple_data = false;  // more than one data line: join with `join_data`
};

class SseSplitter {
 public:
  // Finds the end of the first event in `bytes`, which start at an event boundary and hold all bytes of the event since
  // then. Returns the length of the event with its terminator, or 0 if it is not complete yet. Remembers how far it
  // has looked, so that feeding a growing buffer costs each byte once. Call `reset` when the buffer's start moved otherwise than by the
  // returned length.
  size_t find_event_end(std::string_view bytes);
  void reset();

 private:
  size_t scanned_ = 0;
  // The implementer adds what else is needed.
};

// Parses one whole event (as found above). Views into `raw`. Cost: one pass with memchr.
SseEvent parse_event(std::string_view raw);

// The data of an event with several data lines, joined by LF, into `out` (>= event.raw.size()); returns its length.
size_t join_data(std::string_view raw, char* out);

}  // namespace hyperion::http
