#include "dialect/openai_chat_answer_writer.h"

#include <new>

#include "dialect/error_body.h"
#include "dialect/openai_chat_parts.h"
#include "dialect/text.h"

namespace hyperion::dialect::openai_chat {
namespace {

// What a client may not read of a provider's message: whose key it was, and what about it.
constexpr std::string_view upstream_trouble = "The provider refused the gateway's credentials.";
constexpr std::string_view stream_broke = "The provider's answer broke off.";

}  // namespace

AnswerEncoder* make_encoder(const AnswerContext& context, Arena& arena, ByteBuffer& scratch,
                            json::Output& out) {
  scratch.clear();
  if (context.stream) {
    void* place = arena.allocate(sizeof(StreamEncoder), alignof(StreamEncoder));
    return place != nullptr ? new (place) StreamEncoder(context, arena, scratch, out) : nullptr;
  }
  void* place = arena.allocate(sizeof(PlainEncoder), alignof(PlainEncoder));
  return place != nullptr ? new (place) PlainEncoder(context, arena, scratch, out) : nullptr;
}

std::string_view finish_word(Finish finish, bool legacy_functions, bool refusal_said) {
  switch (finish) {
    case Finish::stop:
    case Finish::stop_sequence:
    case Finish::pause:
    case Finish::malformed_call: return "stop";
    case Finish::length: return "length";
    case Finish::tool_calls: return legacy_functions ? "function_call" : "tool_calls";
    case Finish::content_filter: return "content_filter";
    // OpenAI's own models say no in `refusal` and stop.
    case Finish::refusal: return refusal_said ? "stop" : "content_filter";
  }
  return "stop";
}

void write_usage(json::Output& out, const Usage& usage) {
  const int64_t prompt = usage.prompt_tokens > 0 ? usage.prompt_tokens : 0;
  const int64_t completion = usage.completion_tokens > 0 ? usage.completion_tokens : 0;
  auto member = [&out](std::string_view name, int64_t count) {
    if (count >= 0) out.member(name, count);
  };
  out.begin_object();
  out.member("prompt_tokens", prompt);
  out.member("completion_tokens", completion);
  out.member("total_tokens", prompt + completion);
  if (usage.cached_tokens >= 0 || usage.cache_write_tokens >= 0 || usage.audio_prompt_tokens >= 0) {
    out.key("prompt_tokens_details");
    out.begin_object();
    member("cached_tokens", usage.cached_tokens);
    member("cache_write_tokens", usage.cache_write_tokens);
    member("audio_tokens", usage.audio_prompt_tokens);
    out.end_object();
  }
  if (usage.reasoning_tokens >= 0 || usage.audio_completion_tokens >= 0) {
    out.key("completion_tokens_details");
    out.begin_object();
    member("reasoning_tokens", usage.reasoning_tokens);
    member("audio_tokens", usage.audio_completion_tokens);
    out.end_object();
  }
  out.end_object();
}

void write_call_id(json::Output& out, const AnswerContext& context, std::string_view id,
                   uint32_t choice, uint32_t tool) {
  out.open_string();
  if (!id.empty()) {
    out.add_raw(id);
  } else {
    char number[24];
    const uint64_t place = uint64_t{choice} << 32 | tool;
    size_t size = 0;
    for (uint64_t left = place; size == 0 || left > 0; left >>= 4) {
      number[size++] = "0123456789abcdef"[left & 15];
    }
    out.add_raw("call_");
    out.add_plain(context.request_id);
    out.add_raw("_");
    out.add_raw({number, size});
  }
  out.close_string();
}

void write_signature(json::Output& out, std::string_view signature, Maker maker) {
  out.key("extra_content");
  out.begin_object();
  out.key("google");
  out.begin_object();
  out.key("thought_signature");
  out.open_string();
  add_signature(out, signature, maker, Maker::gemini);
  out.close_string();
  out.end_object();
  out.end_object();
}

void write_citation(json::Output& out, std::string_view url, std::string_view title) {
  out.begin_object();
  out.member("type", "url_citation");
  out.key("url_citation");
  out.begin_object();
  out.member("start_index", int64_t{0});
  out.member("end_index", int64_t{0});
  out.member_raw("url", url);
  out.member_raw("title", title);
  out.end_object();
  out.end_object();
}

void write_top(json::Output& out, const AnswerContext& context, const Event& start,
               std::string_view object) {
  out.key("id");
  out.open_string();
  if (start.id.empty()) {
    out.add_raw("chatcmpl-");
    out.add_plain(context.request_id);
  } else {
    out.add_raw(start.id);
  }
  out.close_string();
  out.member("object", object);
  out.member("created", start.created_s > 0 ? start.created_s : context.now_s);
  if (start.model.empty()) {
    out.member("model", context.model);
  } else {
    out.member_raw("model", start.model);
  }
}

void StreamEncoder::on_event(const Event& event) {
  if (over_ || event.choice >= choices_max) return;
  if (event.kind == EventKind::error) return on_error(event);
  if (event.kind == EventKind::usage) {
    if (event.usage != nullptr) usage_ = *event.usage;
    return;
  }
  if (!started_) start(event.kind == EventKind::start ? event : Event());
  switch (event.kind) {
    case EventKind::text: return write_delta_text(event, "content");
    case EventKind::refusal: return write_delta_text(event, "refusal");
    case EventKind::thinking: return on_thinking(event);
    case EventKind::thinking_end:
    case EventKind::redacted_thinking: return on_thinking_end(event);
    case EventKind::tool_start: return on_tool_start(event);
    case EventKind::tool_arguments: return on_tool_arguments(event);
    case EventKind::finish: return on_finish(event);
    case EventKind::end: return on_end();
    case EventKind::citation:
      begin_delta(event.choice);
      out_.key("annotations");
      out_.begin_array();
      write_citation(out_, event.text, event.name);
      out_.end_array();
      return end_delta();
    case EventKind::start:
    case EventKind::tool_end:
    case EventKind::usage:
    case EventKind::error: break;
  }
}

void StreamEncoder::start(const Event& event) {
  started_ = true;
  for (const Event& names : {event, Event()}) {
    scratch_.clear();
    json::Output top(scratch_);
    top.begin_object();
    write_top(top, context_, names, "chat.completion.chunk");
    top.key("choices");
    top_ = top.failed() ? std::string_view() : arena_.copy(top.text());
    if (!top_.empty()) break;
  }
  scratch_.clear();
  // Without memory for a line of text there is no answer.
  over_ = top_.empty();
  if (over_) out_.fail();
}

void StreamEncoder::open_chunk(uint32_t choice) {
  begin_event(out_, {});
  out_.bytes(top_);
  out_.bytes("[{\"index\":");
  out_.number(choice);
  out_.bytes(",\"delta\":{");
}

// An answer begins with a chunk that names the role; a call that comes first shares it.
void StreamEncoder::begin_delta(uint32_t choice, bool shares_role) {
  if (!begun_[choice] && !shares_role) {
    open_chunk(choice);
    out_.bytes("\"role\":\"assistant\",\"content\":\"\",\"refusal\":null");
    end_delta();
  }
  open_chunk(choice);
  if (!begun_[choice] && shares_role) out_.bytes("\"role\":\"assistant\",\"content\":null,");
  begun_.set(choice);
}

void StreamEncoder::end_delta(std::string_view finish_reason) {
  if (finish_reason.empty()) {
    out_.bytes("},\"logprobs\":null,\"finish_reason\":null}]");
  } else {
    out_.bytes("},\"logprobs\":null,\"finish_reason\":\"");
    out_.bytes(finish_reason);
    out_.bytes("\"}]");
  }
  out_.bytes(context_.include_usage ? ",\"usage\":null}" : "}");
  end_event(out_);
}

void StreamEncoder::write_delta_text(const Event& event, std::string_view member) {
  if (event.text.empty()) return;
  if (event.kind == EventKind::refusal) refused_.set(event.choice);
  begin_delta(event.choice);
  out_.member_raw(member, event.text);
  end_delta();
}

void StreamEncoder::on_thinking(const Event& event) {
  if (!context_.shows_thinking || event.text.empty()) return;
  if (event.choice == 0 && !scratch_.append(event.text)) scratch_.clear();
  write_delta_text(event, "reasoning_content");
}

void StreamEncoder::on_thinking_end(const Event& event) {
  if (!context_.shows_thinking) return;
  const bool redacted = event.kind == EventKind::redacted_thinking;
  // A block without its signature is worth nothing to anyone.
  const bool given = redacted ? !event.text.empty() : !event.signature.empty();
  if (given && event.choice == 0) {
    begin_delta(event.choice);
    out_.key("thinking_blocks");
    out_.begin_array();
    out_.begin_object();
    out_.member("type", redacted ? "redacted_thinking" : "thinking");
    if (!redacted) out_.member_raw("thinking", scratch_.view());
    out_.key(redacted ? "data" : "signature");
    out_.open_string();
    add_signature(out_, redacted ? event.text : event.signature, event.signature_of,
                  Maker::anthropic);
    out_.close_string();
    out_.end_object();
    out_.end_array();
    end_delta();
  }
  if (event.choice == 0 && !redacted) scratch_.clear();
}

// The old field holds one call only.
void StreamEncoder::on_tool_start(const Event& event) {
  if (context_.legacy_functions && event.tool > 0) return;
  begin_delta(event.choice, true);
  if (context_.legacy_functions) {
    out_.key("function_call");
    out_.begin_object();
  } else {
    out_.key("tool_calls");
    out_.begin_array();
    out_.begin_object();
    out_.member("index", int64_t{event.tool});
    out_.key("id");
    write_call_id(out_, context_, event.id, event.choice, event.tool);
    out_.member("type", "function");
    if (!event.signature.empty()) write_signature(out_, event.signature, event.signature_of);
    out_.key("function");
    out_.begin_object();
  }
  out_.member_raw("name", event.name);
  out_.member("arguments", "");
  out_.end_object();
  if (!context_.legacy_functions) {
    out_.end_object();
    out_.end_array();
  }
  end_delta();
}

void StreamEncoder::on_tool_arguments(const Event& event) {
  if (event.text.empty() || (context_.legacy_functions && event.tool > 0)) return;
  begin_delta(event.choice);
  if (context_.legacy_functions) {
    out_.bytes("\"function_call\":{\"arguments\":\"");
    out_.bytes(event.text);
    out_.bytes("\"}");
  } else {
    out_.bytes("\"tool_calls\":[{\"index\":");
    out_.number(event.tool);
    out_.bytes(",\"function\":{\"arguments\":\"");
    out_.bytes(event.text);
    out_.bytes("\"}}]");
  }
  end_delta();
}

void StreamEncoder::on_finish(const Event& event) {
  if (finished_[event.choice]) return;
  finished_.set(event.choice);
  // Why the model would not answer is what a refusal says.
  if (event.finish == Finish::refusal && !refused_[event.choice] && !event.text.empty()) {
    begin_delta(event.choice);
    out_.member_raw("refusal", event.text);
    end_delta();
  }
  begin_delta(event.choice);
  end_delta(finish_word(event.finish, context_.legacy_functions, refused_[event.choice]));
}

void StreamEncoder::on_end() {
  if (begun_.none()) on_finish(Event());
  for (uint32_t choice = 0; choice < choices_max; ++choice) {
    if (!begun_[choice] || finished_[choice]) continue;
    Event event;
    event.choice = choice;
    on_finish(event);
  }
  if (context_.include_usage && usage_.known()) {
    begin_event(out_, {});
    out_.bytes(top_);
    out_.bytes("[],\"usage\":");
    write_usage(out_, usage_);
    out_.bytes("}");
    end_event(out_);
  }
  out_.bytes("data: [DONE]\n\n");
  over_ = true;
}

void StreamEncoder::on_error(const Event& event) {
  over_ = true;
  const ProviderError none;
  const ProviderError& error = event.error != nullptr ? *event.error : none;
  const ErrorTraits& traits = traits_of(error.kind);
  ErrorAnswer answer;
  answer.status = traits.status;
  answer.type = traits.type;
  if (traits.code != nullptr) {
    answer.code = traits.code;
  } else if (error.code.find('\\') == std::string_view::npos) {
    answer.code = error.code;
  }
  answer.message = error.message.empty() ? stream_broke : error.message;
  answer.message_is_raw = true;
  if (error.kind == ErrorKind::bad_key || error.kind == ErrorKind::forbidden) {
    answer.message = upstream_trouble;
  }
  answer.retry_after_ms = error.retry_after_ms;
  write_error_event(Wire::openai_chat, answer, StreamForm::events, out_);
}

}  // namespace hyperion::dialect::openai_chat
