// Any bytes as a stream of server-sent events: split and parsed by ours, for any cut, against the
// standard's algorithm written down as it stands (WHATWG HTML 9.2.6).
#include "base/assert.h"
#include "http/sse_splitter.h"
#include "support/http_run.h"

namespace {

using namespace hyperion;

struct Event {
  std::string name;
  std::string data;

  bool operator==(const Event&) const = default;
};

// Line by line, a byte at a time.
class Reference {
 public:
  std::vector<Event> read(std::string_view stream) {
    if (stream.substr(0, 3) == "\xEF\xBB\xBF") stream.remove_prefix(3);
    std::string line;
    for (size_t i = 0; i < stream.size(); ++i) {
      if (stream[i] != '\r' && stream[i] != '\n') {
        line += stream[i];
        continue;
      }
      if (stream[i] == '\r' && i + 1 < stream.size() && stream[i + 1] == '\n') ++i;
      take(line);
      line.clear();
    }
    return events_;
  }

 private:
  void take(const std::string& line) {
    if (line.empty()) return dispatch();
    const size_t colon = line.find(':');
    const std::string field = line.substr(0, colon);
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (!value.empty() && value[0] == ' ') value.erase(0, 1);
    if (field == "data") data_ += value + '\n';
    if (field == "event") name_ = value;
  }
  void dispatch() {
    if (!data_.empty()) {
      data_.pop_back();
      events_.push_back({name_, data_});
    }
    data_.clear();
    name_.clear();
  }

  std::string data_;
  std::string name_;
  std::vector<Event> events_;
};

void check(std::string_view stream, const test::Cuts& cuts, const std::vector<Event>& expected) {
  http::SseSplitter splitter;
  std::vector<Event> events;
  std::string buffer;
  std::string relayed;
  test::for_each_piece(stream, cuts, [&](std::string_view piece) {
    buffer += piece;
    while (const size_t size = splitter.find_event_end(buffer)) {
      HYPERION_ASSERT(size <= buffer.size());
      const bool at_start = relayed.empty();
      const http::SseEvent event =
          http::parse_event(std::string_view(buffer).substr(0, size), at_start);
      if (event.has_data) {
        std::string data(event.raw.size(), '\0');
        data.resize(http::join_data(event.raw, data.data(), at_start));
        HYPERION_ASSERT(event.multiple_data || data == event.data);
        events.push_back({std::string(event.event), data});
      }
      relayed += event.raw;
      buffer.erase(0, size);
    }
    return true;
  });
  HYPERION_ASSERT(relayed + buffer == stream);
  HYPERION_ASSERT(events == expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  Random random(size * 2654435761u + (size > 0 ? data[size / 2] : 0));
  const std::vector<Event> expected = Reference().read(stream);
  check(stream, {}, expected);
  check(stream, test::random_cuts(random, size), expected);
  if (size <= 1024) check(stream, test::every_byte(size), expected);
  return 0;
}
