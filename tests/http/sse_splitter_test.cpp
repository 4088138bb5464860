#include "http/sse_splitter.h"

#include <string>

#include "vectors.h"

namespace hyperion::test {
namespace {

using http::SseEvent;
using http::SseSplitter;

struct SeenEvent {
  std::string event;
  std::string data;

  bool operator==(const SeenEvent&) const = default;
};

// What a relay and its reader make of a stream.
struct SeenStream {
  std::vector<SeenEvent> events;
  std::string relayed;  // all whole pieces
  std::string kept;     // what follows the last whole event
  size_t largest_count = 0;
};

SeenEvent dispatched(const SseEvent& event, bool at_stream_start) {
  SeenEvent seen{event.event.empty() ? "message" : std::string(event.event),
                 std::string(event.data)};
  if (event.multiple_data) {
    seen.data.resize(event.raw.size());
    seen.data.resize(http::join_data(event.raw, seen.data.data(), at_stream_start));
  }
  return seen;
}

// As the relay does it: a buffer that grows by each piece and gives off whole events.
SeenStream split(std::string_view stream, const Cuts& cuts) {
  SeenStream seen;
  SseSplitter splitter;
  std::string buffer;
  bool at_start = true;
  for_each_piece(stream, cuts, [&](std::string_view piece) {
    buffer += piece;
    size_t given = 0;
    while (size_t size = splitter.find_event_end(std::string_view(buffer).substr(given))) {
      const SseEvent event =
          http::parse_event(std::string_view(buffer).substr(given, size), at_start);
      if (event.has_data) seen.events.push_back(dispatched(event, at_start));
      seen.relayed += event.raw;
      at_start = false;
      given += size;
    }
    buffer.erase(0, given);
    return true;
  });
  seen.kept = buffer;
  return seen;
}

// Bytes that are not UTF-8 become U+FFFD in the suite's texts: one for each maximal broken part.
// The suite has only parts of a single byte.
std::string with_replacements(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    size_t size = lead < 0x80 ? 1 : lead >= 0xF0 && lead < 0xF5 ? 4 : lead >= 0xE0 ? 3 : 2;
    bool valid = lead < 0x80 || (lead >= 0xC2 && lead < 0xF5);
    for (size_t k = 1; valid && k < size; ++k) {
      valid = i + k < bytes.size() && (static_cast<unsigned char>(bytes[i + k]) & 0xC0) == 0x80;
    }
    // Surrogates are no characters.
    if (valid && lead == 0xED && static_cast<unsigned char>(bytes[i + 1]) >= 0xA0) valid = false;
    text += valid ? std::string(bytes.substr(i, size)) : std::string("\xEF\xBF\xBD");
    i += valid ? size : 1;
  }
  return text;
}

std::vector<SeenEvent> expected_events(const Json& vector) {
  std::vector<SeenEvent> events;
  for (const Json& event : vector["events"].elements) {
    events.push_back({event["event"].text, event["data"].text});
  }
  return events;
}

TEST_CASE("sse-parsing: events are as expected and the bytes as sent, however cut") {
  for (const Json& vector : suite("suites/sse-parsing/cases.jsonl")) {
    const std::string stream = decoded(vector["stream_b64"]);
    const std::vector<SeenEvent> expected = expected_events(vector);
    INFO(vector["id"].text << ": " << shown(stream));
    const SeenStream whole = split(stream, {});
    CHECK(whole.relayed + whole.kept == stream);
    std::vector<SeenEvent> events = whole.events;
    for (SeenEvent& event : events) {
      event = {with_replacements(event.event), with_replacements(event.data)};
    }
    CHECK(events == expected);
    for_each_cut(stream.size(), [&](const Cuts& cuts) {
      const SeenStream cut = split(stream, cuts);
      if (cut.events == whole.events && cut.relayed + cut.kept == stream) return;
      INFO("first cut at " << cuts[0] << " of " << cuts.size());
      CHECK(cut.events == whole.events);
      CHECK(cut.relayed + cut.kept == stream);
    });
  }
}

TEST_CASE("an event ends with its empty line, whatever the line ends are") {
  for (const char* event : {"data: a\n\n", "data: a\r\r", "data: a\r\n\r\n", "data: a\n\r\n",
                            "data: a\r\n\n", "data: a\r\n\r", "\n", "\r", "\r\n", ": c\n\n"}) {
    INFO(shown(event));
    SseSplitter splitter;
    const std::string bytes = std::string(event) + "data: b\n\n";
    CHECK(splitter.find_event_end(bytes) == std::string(event).size());
  }
  SseSplitter splitter;
  CHECK(splitter.find_event_end("data: a\r\n") == 0);
  CHECK(splitter.find_event_end("data: a\r\n\r") == 10);
  // Then the line feed that belongs to it comes as a piece without data.
  CHECK(splitter.find_event_end("\ndata: b\n\n") == 1);
}

TEST_CASE("every byte of a growing buffer is looked at once") {
  SseSplitter splitter;
  std::string buffer = "data: ";
  for (int i = 0; i < 200'000; ++i) {
    buffer += 'x';
    REQUIRE(splitter.find_event_end(buffer) == 0);
    // Bytes that were looked at may be gone: were they read again, these would end the event.
    if (i % 1000 == 0) buffer.assign(buffer.size(), '\n');
    if (i % 1000 == 0) buffer.back() = 'x';
  }
}

TEST_CASE("reset forgets what was looked at") {
  SseSplitter splitter;
  CHECK(splitter.find_event_end("data: a\n") == 0);
  splitter.reset();
  CHECK(splitter.find_event_end("\n") == 1);
  CHECK(splitter.find_event_end("data: a\r") == 0);
  splitter.reset();
  CHECK(splitter.find_event_end("\ndata") == 1);
}

TEST_CASE("the parts of an event are views into it") {
  const std::string raw = ": hello\r\nevent: a\nid: 7\ndata: {\"x\":\"y: z\"}\nevent: b\n\n";
  const SseEvent event = http::parse_event(raw);
  CHECK(event.raw == raw);
  CHECK(event.data == "{\"x\":\"y: z\"}");
  CHECK(event.data.data() > raw.data());
  CHECK(event.event == "b");
  CHECK(event.has_data);
  CHECK_FALSE(event.multiple_data);
  CHECK_FALSE(http::parse_event(": only a comment\n\n").has_data);
  CHECK_FALSE(http::parse_event("event: ping\n\n").has_data);
  CHECK(http::parse_event("event: ping\n\n").event == "ping");
  CHECK(http::parse_event("data\n\n").has_data);
  CHECK(http::parse_event("data: [DONE]").data == "[DONE]");
}

TEST_CASE("a byte-order mark is dropped at the start of the stream only") {
  const std::string raw =
      "\xEF\xBB\xBF"
      "data: a\ndata: b\n\n";
  CHECK(http::parse_event(raw).data == "b");
  CHECK(http::parse_event(raw, true).multiple_data);
  char joined[32];
  CHECK(std::string_view(joined, http::join_data(raw, joined, true)) == "a\nb");
  CHECK(std::string_view(joined, http::join_data(raw, joined)) == "b");
}

TEST_CASE("data lines are joined by line feeds, empty ones too") {
  auto joined = [](std::string_view raw) {
    std::string out(raw.size(), '?');
    out.resize(http::join_data(raw, out.data()));
    return out;
  };
  CHECK(joined("data: a\ndata:\nx: y\ndata\r\ndata:  b\r\n\r\n") == "a\n\n\n b");
  CHECK(joined("data\n\n") == "");
  CHECK(joined("data\ndata\n\n") == "\n");
  CHECK(joined(": c\n\n") == "");
}

TEST_CASE("streams with seeded lines come out alike for any cuts") {
  constexpr std::string_view parts[] = {"data", "data: x", "data:y", ": c",  "event: e", "id: 1",
                                        "\n",   "\r",      "\r\n",   "\n\n", "\r\n\r\n", "\r\r"};
  for (uint64_t seed = 1; seed <= 3'000; ++seed) {
    Random random(seed);
    std::string stream;
    const uint64_t count = random.below(40);
    for (uint64_t i = 0; i < count; ++i) stream += parts[random.below(std::size(parts))];
    const Cuts cuts = random_cuts(random, stream.size());
    const SeenStream whole = split(stream, {});
    const SeenStream cut = split(stream, cuts);
    INFO("seed " << seed << ": " << shown(stream));
    REQUIRE(cut.events == whole.events);
    REQUIRE(cut.relayed + cut.kept == stream);
  }
}

}  // namespace
}  // namespace hyperion::test
