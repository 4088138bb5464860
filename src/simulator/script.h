// The events of a stream, worked out before the first is sent.
//
// A dialect that words its answer as a whole appends each event to `text` and ends it with
// `end_event`, saying how many tokens of the output it carries: those events wait for the token
// gaps, and what was sent of them is billed. A plain value that moves into the connection; its size
// is bounded by the longest turn (turn.h), about 8 MiB. Never fails.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hyperion::simulator {

struct Script {
  struct Event {
    uint32_t end;     // in `text`
    uint32_t tokens;  // of the output, in this and all events before
  };

  std::string text;
  std::vector<Event> events;

  bool empty() const { return events.empty(); }
  void end_event(uint32_t tokens = 0) {
    const uint32_t before = events.empty() ? 0 : events.back().tokens;
    events.push_back({static_cast<uint32_t>(text.size()), before + tokens});
  }
  uint32_t tokens_before(uint32_t position) const {
    return position == 0 ? 0 : events[position - 1].tokens;
  }
  std::string_view event(uint32_t position) const {
    const uint32_t begin = position == 0 ? 0 : events[position - 1].end;
    return std::string_view(text).substr(begin, events[position].end - begin);
  }
};

}  // namespace hyperion::simulator
