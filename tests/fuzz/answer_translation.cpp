// Any bytes as a provider's answer, in each dialect, streamed or plain, written for clients of
// each.
//
// The first byte chooses. Holds: events come in the order of event.h, with texts that are the
// insides of JSON strings, and end once; what a client gets is JSON; its own dialect reads it as an
// answer that ended where the provider's did, with the same text.

#include <cstdint>

#include "fuzz/translation.h"
#include "http/sse_splitter.h"

using namespace hyperion;
using test::EventChecker;
using test::FuzzMemory;
using test::require;

namespace {

void decode(const dialect::Language& language, std::string_view bytes, bool stream,
            dialect::EventReceiver& out) {
  FuzzMemory memory;
  dialect::AnswerDecoder* decoder = language.make_decoder(memory.arena, memory.scratch);
  require(decoder != nullptr, "there is memory for a decoder");
  if (!stream) {
    decoder->on_answer(bytes, out);
  } else {
    http::SseSplitter splitter;
    bool first = true;
    while (const size_t length = splitter.find_event_end(bytes)) {
      // A buffer of its own: ASan sees a byte read beyond the event.
      const std::vector<char> event(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length));
      decoder->on_stream_event(http::parse_event({event.data(), event.size()}, first), out);
      first = false;
      bytes.remove_prefix(length);
    }
    decoder->on_stream_end(out);
  }
  decoder->~AnswerDecoder();
}

// A stream is events whose data is JSON, but for OpenAI's last.
void check_stream(std::string_view bytes) {
  http::SseSplitter splitter;
  while (const size_t length = splitter.find_event_end(bytes)) {
    const http::SseEvent event = http::parse_event(bytes.substr(0, length));
    require(!event.multiple_data, "an event has one line of data");
    if (event.has_data && event.data != "[DONE]") {
      const auto tree = test::read_json(event.data);
      require(tree && tree->is(test::Json::Kind::object), "an event's data is a JSON object");
    }
    bytes.remove_prefix(length);
  }
  require(bytes.empty(), "a stream ends with a whole event");
}

void translate(const dialect::Language& from, std::string_view bytes, bool stream,
               const dialect::Language& to, bool client_stream, bool shows_thinking) {
  FuzzMemory memory;
  dialect::AnswerContext context;
  context.request_id = "req_1";
  context.model = "model";
  context.now_s = 1;
  context.stream = client_stream;
  context.include_usage = true;
  context.shows_thinking = shows_thinking;
  dialect::AnswerEncoder* encoder =
      to.make_encoder(context, memory.arena, memory.scratch, memory.out);
  require(encoder != nullptr, "there is memory for an encoder");
  EventChecker seen(encoder);
  decode(from, bytes, stream, seen);
  require(seen.ended != seen.failed, "an answer ends once");
  encoder->~AnswerEncoder();
  require(!memory.out.failed(), "there is memory for the answer");
  const std::string_view written = memory.out.text();
  if (client_stream) {
    check_stream(written);
  } else if (seen.failed) {
    require(written.empty(), "of a failed plain answer nothing is written");
    return;
  } else {
    const auto tree = test::read_json(written);
    require(tree && tree->is(test::Json::Kind::object), "a plain answer is a JSON object");
  }
  EventChecker client;
  decode(to, written, client_stream, client);
  if (seen.failed) require(client.failed, "a broken answer is never a clean end");
  // What nothing usable came out of may be given as an error.
  if (seen.ended && seen.finish != dialect::Finish::malformed_call) {
    require(client.ended, "an answer that ended is read as one that ended");
    require(client.text == seen.text, "the text is the same");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const uint8_t choice = data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool stream = (choice & 4) != 0;
  for (size_t i = 0; i < dialect::wires_count; ++i) {
    translate(test::language_at(choice & 3), bytes, stream, test::language_at(i), (choice & 8) != 0,
              (choice & 16) == 0);
  }
  return 0;
}
