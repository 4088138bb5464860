#include "dialect/anthropic_answer_writer.h"

#include "dialect/anthropic_parts.h"
#include "dialect/text.h"

namespace hyperion::dialect::anthropic {
namespace {

const char* stop_reason_of(Finish finish) {
  switch (finish) {
    case Finish::stop: return "end_turn";
    case Finish::stop_sequence: return "stop_sequence";
    case Finish::length: return "max_tokens";
    case Finish::tool_calls: return "tool_use";
    case Finish::content_filter:
    case Finish::refusal: return "refusal";
    case Finish::pause: return "pause_turn";
    case Finish::malformed_call: return "end_turn";
  }
  return "end_turn";
}

}  // namespace

void AnswerWriter::on_event(const Event& event) {
  // There is one choice: another one was never asked for.
  if (over_ || event.choice != 0) return;
  switch (event.kind) {
    case EventKind::start: start(event); return;
    case EventKind::usage:
      if (event.usage != nullptr) usage_ = *event.usage;
      return;
    case EventKind::citation: return;  // a URL alone makes none of Anthropic's citations
    case EventKind::finish:
      finish_ = event.finish;
      finish_text_ = arena_.copy(event.text);
      return;
    case EventKind::error: {
      over_ = true;
      const ProviderError unknown;
      write_error(event.error != nullptr ? *event.error : unknown);
      return;
    }
    default: break;
  }
  if (!started_) start(Event{});
  switch (event.kind) {
    case EventKind::refusal: refused_ = true; [[fallthrough]];
    case EventKind::text: give_text(event); return;
    case EventKind::thinking: give_thinking(event); return;
    case EventKind::thinking_end: end_thinking(event); return;
    case EventKind::redacted_thinking:
      close();
      write_redacted(event, event.text);
      return;
    case EventKind::tool_start: start_tool(event); return;
    case EventKind::tool_arguments: add_arguments(event); return;
    case EventKind::tool_end: end_tool(event); return;
    case EventKind::end:
      close();
      over_ = true;
      write_end();
      return;
    default: return;
  }
}

void AnswerWriter::start(const Event& event) {
  if (started_) return;
  started_ = true;
  if (event.usage != nullptr) usage_ = *event.usage;
  write_start(event.id, event.model);
}

void AnswerWriter::switch_to(Block block) {
  if (block_ == block) return;
  close();
  block_ = block;
  if (block == Block::text) begin_text();
  if (block == Block::thinking) begin_thinking();
}

void AnswerWriter::close() {
  if (block_ == Block::none) return;
  end_block(Event{});
  block_ = Block::none;
}

void AnswerWriter::give_text(const Event& event) {
  if (event.text.empty()) return;
  held_ = {};
  switch_to(Block::text);
  add_text(event.text);
}

void AnswerWriter::give_thinking(const Event& event) {
  if (event.text.empty() || !context_.shows_thinking) return;
  switch_to(Block::thinking);
  add_thinking(event.text);
}

// A signature without its text is what Anthropic itself sends where thinking is not shown.
void AnswerWriter::end_thinking(const Event& event) {
  if (block_ != Block::thinking && event.signature.empty()) return;
  if (block_ != Block::thinking && !context_.thinking_asked) return hold_signature(event);
  switch_to(Block::thinking);
  end_block(event);
  block_ = Block::none;
}

void AnswerWriter::hold_signature(const Event& event) {
  HeldSignature* held = make<HeldSignature>(arena_);
  if (held == nullptr) return out_.fail();
  held->signature = arena_.copy(event.signature);
  held->maker = event.signature_of;
  if (held->signature.empty()) return out_.fail();
  held_.append(held);
}

void AnswerWriter::write_signatures() {
  for (const HeldSignature* held = held_.first; held != nullptr; held = held->next) {
    Event event;
    event.signature = held->signature;
    event.signature_of = held->maker;
    switch_to(Block::thinking);
    end_block(event);
    block_ = Block::none;
  }
  held_ = {};
}

void AnswerWriter::start_tool(const Event& event) {
  close();
  write_signatures();
  tools_seen_ = true;
  if (!event.signature.empty()) write_redacted(event, event.signature);
  begin_tool(event);
}

// "stop_reason": ..., "stop_sequence": ..., and "stop_details" of a refusal.
void AnswerWriter::write_stop() {
  Finish finish = finish_;
  // Some vendors say `stop` where there are calls to be made; clients go by this field.
  if (finish == Finish::stop && tools_seen_) finish = Finish::tool_calls;
  if (finish == Finish::stop && refused_) finish = Finish::refusal;
  const std::string_view reason = stop_reason_of(finish);
  out_.member("stop_reason", reason);
  out_.key("stop_sequence");
  if (finish == Finish::stop_sequence) {
    out_.raw_string(finish_text_);
  } else {
    out_.null();
  }
  if (reason != "refusal") return;
  out_.key("stop_details");
  out_.begin_object();
  out_.member("type", "refusal");
  out_.key("category");
  out_.null();
  out_.key("explanation");
  if (finish == Finish::refusal && !finish_text_.empty()) {
    out_.raw_string(finish_text_);
  } else {
    out_.null();
  }
  out_.end_object();
}

// A number that is not known is left out, or null where the key must be there. Where Anthropic's
// schema wants a number and nothing else (`output_tokens`, and `input_tokens` of a message), an
// unknown one is written as 0: its clients fail on null.
void AnswerWriter::write_usage(bool all_required) {
  const TokenCounts counts = TokenCounts::of(usage_);
  out_.key("usage");
  out_.begin_object();
  if (counts.input >= 0 || all_required)
    out_.member("input_tokens", counts.input >= 0 ? counts.input : int64_t{0});
  if (counts.cache_creation >= 0) out_.member("cache_creation_input_tokens", counts.cache_creation);
  if (counts.cache_read >= 0) out_.member("cache_read_input_tokens", counts.cache_read);
  if (all_required && counts.cache_creation_1h > 0) {
    out_.key("cache_creation");
    out_.begin_object();
    out_.member("ephemeral_5m_input_tokens", counts.cache_creation_5m);
    out_.member("ephemeral_1h_input_tokens", counts.cache_creation_1h);
    out_.end_object();
  }
  out_.member("output_tokens", counts.output >= 0 ? counts.output : int64_t{0});
  if (counts.thinking >= 0) {
    out_.key("output_tokens_details");
    out_.begin_object();
    out_.member("thinking_tokens", counts.thinking);
    out_.end_object();
  }
  out_.end_object();
}

void AnswerWriter::write_id(std::string_view id) {
  out_.key("id");
  if (!id.empty()) return out_.raw_string(id);
  out_.open_string();
  out_.add_plain("msg_");
  out_.add_plain(context_.request_id);
  out_.close_string();
}

void AnswerWriter::write_model(std::string_view model) {
  out_.key("model");
  if (!model.empty()) return out_.raw_string(model);
  out_.string(context_.model);
}

// What a redacted block holds: opaque, whoever made it.
void AnswerWriter::write_data(const Event& event, std::string_view data) {
  out_.key("data");
  out_.open_string();
  add_signature(out_, data, event.signature_of, Maker::anthropic);
  out_.close_string();
}

AnswerEncoder* make_encoder(const AnswerContext& context, Arena& arena, ByteBuffer&,
                            json::Output& out) {
  return context.stream ? make_stream_writer(context, arena, out)
                        : make_plain_writer(context, arena, out);
}

}  // namespace hyperion::dialect::anthropic
