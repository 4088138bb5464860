#include "dialect/openai_chat_answer.h"

#include <new>

#include "dialect/openai_chat_parts.h"
#include "json/validate.h"

namespace hyperion::dialect::openai_chat {
namespace {

constexpr const char* not_valid = "The provider's answer is not valid.";
constexpr const char* was_cut = "The provider's answer ended before it was complete.";

struct FinishRow {
  std::string_view word;
  Finish finish;
};
// OpenAI's five words and those that leak from other vendors (Together, Mistral, vLLM, gateways).
constexpr FinishRow finish_rows[] = {
    {"stop", Finish::stop},
    {"length", Finish::length},
    {"tool_calls", Finish::tool_calls},
    {"function_call", Finish::tool_calls},
    {"content_filter", Finish::content_filter},
    {"tool_use", Finish::tool_calls},
    {"max_tokens", Finish::length},
    {"MAX_TOKENS", Finish::length},
    {"model_length", Finish::length},
    {"model_context_window_exceeded", Finish::length},
    {"stop_sequence", Finish::stop_sequence},
    {"refusal", Finish::refusal},
    {"safety", Finish::content_filter},
    {"SAFETY", Finish::content_filter},
    {"recitation", Finish::content_filter},
    {"RECITATION", Finish::content_filter},
    {"malformed_function_call", Finish::malformed_call},
    {"MALFORMED_FUNCTION_CALL", Finish::malformed_call},
};

struct BrokenRow {
  std::string_view word;
  ErrorKind kind;
};
// Finish reasons that say that the answer is broken: OpenRouter's, DeepSeek's.
constexpr BrokenRow broken_rows[] = {
    {"error", ErrorKind::server},
    {"insufficient_system_resource", ErrorKind::overload},
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && static_cast<uint8_t>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<uint8_t>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

AnswerDecoder* make_decoder(Arena& arena, ByteBuffer& scratch) {
  void* place = arena.allocate(sizeof(Decoder), alignof(Decoder));
  return place != nullptr ? new (place) Decoder(arena, scratch) : nullptr;
}

void Decoder::on_stream_event(const http::SseEvent& event, EventReceiver& out) {
  if (over_ || !event.has_data) return;
  std::string_view data = event.data;
  if (event.multiple_data) {
    scratch_.clear();
    char* place = scratch_.extend(event.raw.size());
    if (place == nullptr) {
      fail("There is no memory for an event of the provider's answer.", out);
      return;
    }
    data = {place, http::join_data(event.raw, place)};
  }
  data = trimmed(data);
  if (data == "[DONE]") {
    finish_all(out);
  } else if (event.event == "error") {
    if (json::is_valid(data)) return fail(read_stream_error(Wire::openai_chat, data), out);
    fail(was_cut, out);
  } else if (!data.empty()) {
    read_top(data, false, out);
  }
}

void Decoder::on_stream_end(EventReceiver& out) {
  if (!over_) fail(was_cut, out);
}

void Decoder::on_answer(std::string_view body, EventReceiver& out) {
  if (over_) return;
  read_top(body, true, out);
  if (!over_) finish_all(out);
}

void Decoder::read_top(std::string_view data, bool plain, EventReceiver& out) {
  Cursor cursor(data);
  if (!json::is_valid(data) || !cursor.enter_object()) {
    fail(not_valid, out);
    return;
  }
  Top top;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (!read_top_member(cursor, key, top, plain, out)) return;
  }
  if (cursor.failed() || !cursor.at_end()) {
    fail(not_valid, out);
    return;
  }
  if (top.error) {
    fail(read_stream_error(Wire::openai_chat, data), out);
    return;
  }
  if (!started_ && top.has_choices) {
    start(top, out);
    if (!read_choices(top.choices, plain, out)) return;
  }
  if (error_said_) {
    ProviderError error;
    error.kind = error_kind_;
    error.status = traits_of(error_kind_).status;
    error.message = "The provider gave up on its answer.";
    error.unreadable = true;
    fail(error, out);
    return;
  }
  if (!cited_ && started_) read_citations(top, out);
  if (!top.usage_given) return;
  if (top.usage.known()) {
    if (top.usage.prompt_tokens < 0) top.usage.prompt_tokens = 0;
    if (top.usage.completion_tokens < 0) top.usage.completion_tokens = 0;
  }
  Event event;
  event.kind = EventKind::usage;
  event.usage = &top.usage;
  out.on_event(event);
}

// False: the answer is over.
bool Decoder::read_top_member(Cursor& cursor, std::string_view key, Top& top, bool plain,
                              EventReceiver& out) {
  const char next = cursor.peek();
  if (key == "choices" && next == '[') {
    // Who the answer is from may be said behind: the first time it has to be known before.
    if (started_) return read_choices(cursor, plain, out);
    top.choices = cursor;
    Cursor look = cursor;
    look.enter_array();
    top.has_choices = look.peek() != ']';
    cursor.skip();
  } else if (key == "usage") {
    top.usage_given |= read_usage(cursor, top.usage);
  } else if (key == "error") {
    std::string_view raw;
    cursor.read_raw(raw);
    top.error |= raw != "null" && raw != "\"\"" && raw != "false" && raw != "{}";
  } else if (key == "object") {
    top.error |= text_of(cursor) == "error";
  } else if (key == "x_groq") {
    read_groq(cursor, top);
  } else if (started_ && cited_) {
    cursor.skip();
  } else if (key == "id") {
    top.id = text_of(cursor);
  } else if (key == "model") {
    top.model = text_of(cursor);
  } else if (key == "created") {
    cursor.read_integer(top.created_s);
  } else if (key == "citations") {
    cursor.read_raw(top.citations);
  } else if (key == "search_results") {
    cursor.read_raw(top.search_results);
  } else if (key == "detail" && !started_) {
    // Mistral's errors have no `error`.
    top.error |= next == '"' || next == '[' || next == '{';
    cursor.skip();
  } else {
    cursor.skip();
  }
  return true;
}

// The usage where the standard member is missing; an error may stand here as well.
void Decoder::read_groq(Cursor& cursor, Top& top) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "usage" && !top.usage_given) {
      top.usage_given = read_usage(cursor, top.usage);
    } else if (key == "error") {
      top.error |= cursor.peek() != 'n';
      cursor.skip();
    } else {
      cursor.skip();
    }
  }
}

void Decoder::start(const Top& top, EventReceiver& out) {
  started_ = true;
  Event event;
  event.kind = EventKind::start;
  event.id = top.id;
  event.model = top.model;
  event.created_s = top.created_s > 0 ? top.created_s : 0;
  if (top.usage.known()) event.usage = &top.usage;
  out.on_event(event);
}

bool Decoder::read_choices(Cursor& cursor, bool plain, EventReceiver& out) {
  cursor.enter_array();
  while (cursor.next_element()) {
    if (!read_choice(cursor, plain, out)) return false;
  }
  return true;
}

Decoder::Choice* Decoder::choice_at(int64_t index) {
  if (index == 0) return &first_;
  if (index < 0 || index >= static_cast<int64_t>(choices_max)) return nullptr;
  if (others_ == nullptr) {
    others_ = arena_.allocate_array<Choice>(choices_max - 1);
    if (others_ == nullptr) return nullptr;
    for (size_t i = 0; i < choices_max - 1; ++i) new (&others_[i]) Choice();
  }
  return &others_[index - 1];
}

bool Decoder::read_choice(Cursor& cursor, bool plain, EventReceiver& out) {
  if (!cursor.enter_object()) return fail(not_valid, out);
  int64_t index = 0;
  Cursor delta{std::string_view()};
  bool has_delta = false, readable = true;
  std::string_view reason;
  std::string_view stop_sequence;
  std::string_view error;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == (plain ? "message" : "delta")) {
      has_delta = cursor.peek() == '{';
      readable = has_delta || cursor.peek() == 'n';
      delta = cursor;
      cursor.skip();
    } else if (key == "index") {
      cursor.read_integer(index);
    } else if (key == "finish_reason") {
      reason = text_of(cursor);
    } else if (key == "stop_reason") {
      stop_sequence = text_of(cursor);
    } else if (key == "error" && cursor.peek() == '{') {
      cursor.read_raw(error);
    } else {
      cursor.skip();
    }
  }
  if (cursor.failed() || !readable) return fail(not_valid, out);
  Choice* choice = choice_at(index);
  if (choice == nullptr) return fail("The provider gave more choices than there can be.", out);
  // Azure leaves out the message of a filtered choice.
  if (plain && !has_delta && reason.empty() && error.empty()) return fail(not_valid, out);
  choice->seen = true;
  if (has_delta && !read_delta(delta, static_cast<uint32_t>(index), *choice, out)) return false;
  if (!error.empty()) {
    fail(read_stream_error(Wire::openai_chat, error), out);
    return false;
  }
  if (!reason.empty()) read_finish(*choice, reason, stop_sequence);
  return true;
}

void Decoder::read_finish(Choice& choice, std::string_view reason, std::string_view stop_sequence) {
  for (const BrokenRow& row : broken_rows) {
    if (row.word != reason) continue;
    error_said_ = true;
    error_kind_ = row.kind;
    return;
  }
  choice.finish = Finish::stop;
  for (const FinishRow& row : finish_rows) {
    if (row.word == reason) choice.finish = row.finish;
  }
  // vLLM names the sequence that was met, or a token's number.
  if (choice.finish == Finish::stop && !stop_sequence.empty() &&
      stop_sequence.size() <= stop_sequence_max_bytes) {
    choice.finish = Finish::stop_sequence;
    choice.stop_sequence = arena_.copy(stop_sequence);
  }
}

// Perplexity repeats its sources in every chunk; with titles in one list, without in the other.
void Decoder::read_citations(const Top& top, EventReceiver& out) {
  const std::string_view list = top.search_results.size() > 2 ? top.search_results : top.citations;
  Cursor cursor(list);
  if (!cursor.enter_array()) return;
  while (cursor.next_element()) {
    Event event;
    event.kind = EventKind::citation;
    if (cursor.peek() == '"') {
      cursor.read_string(event.text);
    } else if (cursor.enter_object()) {
      std::string_view key;
      while (cursor.next_key(key)) {
        if (key == "url") {
          event.text = text_of(cursor);
        } else if (key == "title") {
          event.name = text_of(cursor);
        } else {
          cursor.skip();
        }
      }
    } else {
      cursor.skip();
    }
    if (event.text.empty()) continue;
    cited_ = true;
    out.on_event(event);
  }
}

// [DONE], or a whole answer read to its end. Choices that named no finish (recorded so) have one
// all the same, and calls are the reason wherever there are any: some hosts say "stop".
void Decoder::finish_all(EventReceiver& out) {
  if (!started_) {
    fail(was_cut, out);
    return;
  }
  const size_t count = others_ != nullptr ? choices_max : 1;
  for (size_t i = 0; i < count; ++i) {
    Choice& choice = *choice_at(static_cast<int64_t>(i));
    if (!choice.seen) continue;
    const auto index = static_cast<uint32_t>(i);
    end_thinking({}, Maker::unknown, index, choice, out);
    end_tool(index, choice, out);
    Event event;
    event.kind = EventKind::finish;
    event.choice = index;
    event.finish = choice.finish;
    event.text = choice.stop_sequence;
    if (choice.finish == Finish::stop) {
      if (choice.tools > 0) {
        event.finish = Finish::tool_calls;
      } else if (choice.refused) {
        event.finish = Finish::refusal;
      }
    }
    out.on_event(event);
  }
  over_ = true;
  Event event;
  event.kind = EventKind::end;
  out.on_event(event);
}

void Decoder::fail(const ProviderError& error, EventReceiver& out) {
  over_ = true;
  Event event;
  event.kind = EventKind::error;
  event.error = &error;
  out.on_event(event);
}

bool Decoder::fail(const char* message, EventReceiver& out) {
  ProviderError error;
  error.kind = ErrorKind::server;
  error.status = traits_of(ErrorKind::server).status;
  error.message = message;
  error.unreadable = true;
  fail(error, out);
  return false;
}

}  // namespace hyperion::dialect::openai_chat
