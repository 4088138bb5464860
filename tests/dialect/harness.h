// Runs the translators of a dialect in memory, for the tests of all dialects.
//
// A Decoding is a client's body read; `encode` writes it for a provider; an Answer is what the
// events of a provider's answer come to, collected by a receiver that also holds the contract of
// event.h: start first, a tool's arguments between its start and its end, one finish, nothing after
// the end. `encode_events` and `translate` give the client's bytes. Texts are compared unescaped.
//
//   Decoding decoded(openai_chat::language(), R"({"messages": ...})");
//   const Answer answer = read_stream(openai_chat::language(), bytes, 1);
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "dialect/language.h"
#include "http/sse_splitter.h"
#include "support/json_reader.h"

namespace hyperion::test {

// The string whose inside in JSON is `inside`.
inline std::string unescaped(std::string_view inside) {
  const auto value = read_json("\"" + std::string(inside) + "\"");
  CHECK_MESSAGE(value, "no inside of a JSON string: ", std::string(inside));
  return value ? value->text : std::string();
}

inline Json json_of(std::string_view text) {
  auto value = read_json(text);
  CHECK_MESSAGE(value, "no JSON: ", std::string(text));
  return value ? std::move(*value) : Json();
}

struct Memory {
  BlockPool blocks{4096};
  MemoryBudget budget{64 << 20, 0};
  Arena arena{blocks, 32 << 20};
  ByteBuffer scratch{blocks, budget};
  ByteBuffer buffer{blocks, budget};
  json::Output out{buffer};
};

// A client's request as a dialect reads it.
struct Decoding {
  Decoding(const dialect::Language& language, std::string text)
      : memory(std::make_unique<Memory>()), body(std::make_unique<std::string>(std::move(text))) {
    accepted = language.decode_request(*body, {memory->arena, memory->scratch}, request, problem);
    CHECK(accepted == !problem);
  }
  std::string param() const { return problem.param; }
  std::string message() const { return problem.message; }

  std::unique_ptr<Memory> memory;
  std::unique_ptr<std::string> body;  // its bytes do not move: the request points to them
  dialect::Request request;
  dialect::RequestProblem problem;
  bool accepted = false;
};

struct Encoding {
  bool accepted = false;
  std::string body;
  std::string dropped, adjusted;
  dialect::RequestProblem problem;
  Json json() const { return json_of(body); }
};

inline Encoding encode(const dialect::Language& language, const dialect::Request& request,
                       const catalog::Provider& provider, const catalog::Model* model,
                       std::string_view upstream_model = "m",
                       const dialect::TranslationSettings& settings = {}) {
  Memory memory;
  dialect::Notes notes(settings, "the provider");
  Encoding encoding;
  encoding.accepted = language.encode_request(request, {provider, model, upstream_model, settings},
                                              {memory.arena, memory.scratch}, memory.out, notes);
  if (encoding.accepted) encoding.body = memory.out.text();
  encoding.dropped = notes.dropped();
  encoding.adjusted = notes.adjusted();
  encoding.problem = notes.problem;
  CHECK(encoding.accepted == !notes.problem);
  return encoding;
}

struct ToolCall {
  std::string id, name, arguments, signature;
  dialect::Maker signature_of = dialect::Maker::unknown;
  bool ended = false;
};

struct ThinkingBlock {
  std::string text, signature;
  dialect::Maker signature_of = dialect::Maker::unknown;
  bool redacted = false;
};

struct ChoiceAnswer {
  std::string text, refusal, thinking;
  std::vector<ThinkingBlock> blocks;  // those that have ended
  std::vector<ToolCall> calls;
  std::vector<std::pair<std::string, std::string>> citations;  // URL and title
  int finishes = 0;
  dialect::Finish finish = dialect::Finish::stop;
  std::string finish_text;
};

// What the events of one answer come to.
class Answer final : public dialect::EventReceiver {
 public:
  bool started = false, ended = false, failed = false;
  std::string id, model;
  int64_t created_s = 0;
  dialect::Usage usage;
  int usages = 0;
  dialect::ErrorKind error = dialect::ErrorKind::none;
  std::string error_message;
  std::vector<ChoiceAnswer> choices;
  size_t events = 0;

  const ChoiceAnswer& choice(size_t index = 0) const {
    static const ChoiceAnswer none;
    return index < choices.size() ? choices[index] : none;
  }

  void on_event(const dialect::Event& event) override {
    using dialect::EventKind;
    ++events;
    CHECK_MESSAGE(!(ended || failed), "an event after the end");
    if (event.kind == EventKind::error) return on_error(event);
    if (event.kind == EventKind::start) return on_start(event);
    if (event.kind == EventKind::usage) {
      usage = *event.usage;
      ++usages;
      return;
    }
    CHECK_MESSAGE(started, "an event before the start");
    if (event.kind == EventKind::end) return on_end();
    if (choices.size() <= event.choice) {
      choices.resize(event.choice + 1);
      open_thinking_.resize(event.choice + 1);
    }
    on_choice_event(event, choices[event.choice]);
  }

 private:
  void on_start(const dialect::Event& event) {
    CHECK_MESSAGE(!started, "a second start");
    started = true;
    id = unescaped(event.id);
    model = unescaped(event.model);
    created_s = event.created_s;
  }
  void on_error(const dialect::Event& event) {
    failed = true;
    error = event.error->kind;
    error_message = unescaped(event.error->message);
  }
  void on_end() {
    ended = true;
    for (const ChoiceAnswer& choice : choices) {
      CHECK(choice.finishes <= 1);
      for (const ToolCall& call : choice.calls) CHECK_MESSAGE(call.ended, "a call without end");
    }
    for (const std::string& text : open_thinking_) CHECK_MESSAGE(text.empty(), "thinking open");
  }
  void on_choice_event(const dialect::Event& event, ChoiceAnswer& choice) {
    using dialect::EventKind;
    CHECK_MESSAGE(choice.finishes == 0, "an event of a choice that has finished");
    switch (event.kind) {
      case EventKind::text: choice.text += unescaped(event.text); break;
      case EventKind::refusal: choice.refusal += unescaped(event.text); break;
      case EventKind::thinking:
        choice.thinking += unescaped(event.text);
        open_thinking_[event.choice] += unescaped(event.text);
        break;
      case EventKind::thinking_end:
        choice.blocks.push_back({open_thinking_[event.choice], std::string(event.signature),
                                 event.signature_of, false});
        open_thinking_[event.choice].clear();
        break;
      case EventKind::redacted_thinking:
        choice.blocks.push_back({std::string(event.text), {}, event.signature_of, true});
        break;
      case EventKind::tool_start:
        CHECK(event.tool == choice.calls.size());
        choice.calls.push_back({unescaped(event.id), unescaped(event.name), "",
                                std::string(event.signature), event.signature_of, false});
        break;
      case EventKind::tool_arguments:
        REQUIRE(event.tool < choice.calls.size());
        CHECK_MESSAGE(!choice.calls[event.tool].ended, "arguments after the call's end");
        choice.calls[event.tool].arguments += unescaped(event.text);
        break;
      case EventKind::tool_end:
        REQUIRE(event.tool < choice.calls.size());
        choice.calls[event.tool].ended = true;
        break;
      case EventKind::citation:
        choice.citations.emplace_back(unescaped(event.text), unescaped(event.name));
        break;
      case EventKind::finish:
        ++choice.finishes;
        choice.finish = event.finish;
        choice.finish_text = unescaped(event.text);
        break;
      default: FAIL("an event of no choice");
    }
  }

  std::vector<std::string> open_thinking_;
};

// Gives the events of a stream to a decoder, its bytes coming in pieces that end at multiples of
// `step` (0: all at once). `cut`: only so many bytes come at all.
inline void feed_stream(dialect::AnswerDecoder& decoder, std::string_view bytes, size_t step,
                        dialect::EventReceiver& out) {
  http::SseSplitter splitter;
  size_t begin = 0;
  bool first = true;
  for (size_t got = 0; got < bytes.size();) {
    got = step == 0 ? bytes.size() : std::min(bytes.size(), got + step);
    while (true) {
      const std::string_view waiting = bytes.substr(begin, got - begin);
      const size_t length = splitter.find_event_end(waiting);
      if (length == 0) break;
      // A buffer of its own: the sanitizers see a byte read beyond the event.
      const std::vector<char> event(waiting.begin(),
                                    waiting.begin() + static_cast<ptrdiff_t>(length));
      decoder.on_stream_event(http::parse_event({event.data(), event.size()}, first), out);
      first = false;
      begin += length;
    }
  }
  decoder.on_stream_end(out);
}

inline void read_stream_into(const dialect::Language& language, std::string_view bytes, size_t step,
                             dialect::EventReceiver& out) {
  Memory memory;
  dialect::AnswerDecoder* decoder = language.make_decoder(memory.arena, memory.scratch);
  REQUIRE(decoder != nullptr);
  feed_stream(*decoder, bytes, step, out);
  decoder->~AnswerDecoder();
}

inline Answer read_stream(const dialect::Language& language, std::string_view bytes,
                          size_t step = 0) {
  Answer answer;
  read_stream_into(language, bytes, step, answer);
  CHECK(answer.ended != answer.failed);
  return answer;
}

inline void read_plain_into(const dialect::Language& language, std::string_view body,
                            dialect::EventReceiver& out) {
  Memory memory;
  dialect::AnswerDecoder* decoder = language.make_decoder(memory.arena, memory.scratch);
  REQUIRE(decoder != nullptr);
  const std::vector<char> bytes(body.begin(), body.end());
  decoder->on_answer({bytes.data(), bytes.size()}, out);
  decoder->~AnswerDecoder();
}

inline Answer read_plain(const dialect::Language& language, std::string_view body) {
  Answer answer;
  read_plain_into(language, body, answer);
  CHECK(answer.ended != answer.failed);
  return answer;
}

inline dialect::AnswerContext context_of(bool stream) {
  dialect::AnswerContext context;
  context.request_id = "req_1";
  context.model = "asked-for";
  context.now_s = 1'700'000'000;
  context.stream = stream;
  return context;
}

// An encoder for one answer, and what it has written.
class Encoder {
 public:
  Encoder(const dialect::Language& language, const dialect::AnswerContext& context)
      : encoder_(language.make_encoder(context, memory_.arena, memory_.scratch, memory_.out)) {
    REQUIRE(encoder_ != nullptr);
  }
  ~Encoder() { encoder_->~AnswerEncoder(); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  dialect::AnswerEncoder& receiver() { return *encoder_; }
  std::string text() const { return std::string(memory_.out.text()); }
  bool failed() const { return memory_.out.failed(); }

  void operator()(dialect::EventKind kind, std::string_view text = {}, uint32_t choice = 0) {
    dialect::Event event;
    event.kind = kind;
    event.text = text;
    event.choice = choice;
    encoder_->on_event(event);
  }
  void operator()(const dialect::Event& event) { encoder_->on_event(event); }
  void finish(dialect::Finish finish, std::string_view text = {}, uint32_t choice = 0) {
    dialect::Event event;
    event.kind = dialect::EventKind::finish;
    event.finish = finish;
    event.text = text;
    event.choice = choice;
    encoder_->on_event(event);
  }
  void tool(uint32_t tool, std::string_view id, std::string_view name,
            std::initializer_list<std::string_view> arguments, uint32_t choice = 0) {
    dialect::Event event;
    event.kind = dialect::EventKind::tool_start;
    event.choice = choice;
    event.tool = tool;
    event.id = id;
    event.name = name;
    encoder_->on_event(event);
    event.id = event.name = {};
    event.kind = dialect::EventKind::tool_arguments;
    for (std::string_view fragment : arguments) {
      event.text = fragment;
      encoder_->on_event(event);
    }
    event.text = {};
    event.kind = dialect::EventKind::tool_end;
    encoder_->on_event(event);
  }
  void usage(const dialect::Usage& usage) {
    dialect::Event event;
    event.kind = dialect::EventKind::usage;
    event.usage = &usage;
    encoder_->on_event(event);
  }

 private:
  Memory memory_;
  dialect::AnswerEncoder* encoder_;
};

// The data of every event of a stream, comments left out.
inline std::vector<std::string> data_of(std::string_view bytes) {
  std::vector<std::string> all;
  http::SseSplitter splitter;
  while (true) {
    const size_t length = splitter.find_event_end(bytes);
    if (length == 0) break;
    const http::SseEvent event = http::parse_event(bytes.substr(0, length));
    if (event.has_data) all.emplace_back(event.data);
    bytes.remove_prefix(length);
  }
  CHECK_MESSAGE(bytes.empty(), "an unfinished event at the end: ", std::string(bytes));
  return all;
}

}  // namespace hyperion::test
