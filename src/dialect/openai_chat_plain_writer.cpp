#include <utility>

#include "dialect/openai_chat_answer_writer.h"
#include "dialect/text.h"

namespace hyperion::dialect::openai_chat {

void PlainEncoder::on_event(const Event& event) {
  if (over_ || event.choice >= choices_max) return;
  switch (event.kind) {
    case EventKind::start: return keep_start(event);
    case EventKind::text:
    case EventKind::refusal:
    case EventKind::tool_start:
    case EventKind::tool_arguments:
    case EventKind::citation: return keep(event);
    case EventKind::thinking:
    case EventKind::redacted_thinking:
      if (context_.shows_thinking) keep(event);
      return;
    case EventKind::thinking_end: return keep_thinking_end(event);
    case EventKind::tool_end: return;
    case EventKind::usage:
      if (event.usage != nullptr) usage_ = *event.usage;
      return;
    case EventKind::finish:
      seen_.set(event.choice);
      if (finished_[event.choice]) return;
      finished_.set(event.choice);
      finishes_[event.choice] = event.finish;
      // Why the model would not answer is what a refusal says.
      if (event.finish == Finish::refusal && !has(event.choice, EventKind::refusal)) {
        Event refusal;
        refusal.kind = EventKind::refusal;
        refusal.choice = event.choice;
        refusal.text = event.text;
        keep(refusal);
        why_refused_.set(event.choice);
      }
      return;
    case EventKind::end:
      over_ = true;
      if (!failed_) write();
      return;
    case EventKind::error: over_ = true; return;
  }
}

void PlainEncoder::keep_start(const Event& event) {
  start_.created_s = event.created_s;
  start_.id = arena_.copy(event.id);
  start_.model = arena_.copy(event.model);
}

void PlainEncoder::keep(const Event& event) {
  seen_.set(event.choice);
  if (context_.legacy_functions && event.tool > 0) return;
  const bool call = event.kind == EventKind::tool_start;
  if (event.text.empty() && !call) return;
  const bool grows = last_ != nullptr && last_->kind == event.kind && !last_->ended &&
                     last_->choice == event.choice && last_->tool == event.tool && !call &&
                     event.kind != EventKind::citation &&
                     event.kind != EventKind::redacted_thinking;
  if (!grows) {
    Piece* piece = make<Piece>(arena_);
    if (piece == nullptr) {
      failed_ = true;
      return;
    }
    piece->kind = event.kind;
    piece->choice = event.choice;
    piece->tool = event.tool;
    piece->at = scratch_.size();
    piece->signature_of = event.signature_of;
    (last_ != nullptr ? last_->next : first_) = piece;
    last_ = piece;
  }
  last_->text_size += event.text.size();
  failed_ = failed_ || !scratch_.append(event.text);
  // Only what is never added to has more than its text.
  if (!call && event.kind != EventKind::citation) return;
  last_->id_size = event.id.size();
  last_->name_size = event.name.size();
  last_->signature_size = event.signature.size();
  const bool kept =
      scratch_.append(event.id) && scratch_.append(event.name) && scratch_.append(event.signature);
  failed_ = failed_ || !kept;
}

void PlainEncoder::keep_thinking_end(const Event& event) {
  if (!context_.shows_thinking) return;
  const bool open = last_ != nullptr && last_->kind == EventKind::thinking && !last_->ended &&
                    last_->choice == event.choice;
  if (!open) {
    // A block of which only the signature is shown.
    if (event.signature.empty()) return;
    Piece* piece = make<Piece>(arena_);
    if (piece == nullptr) {
      failed_ = true;
      return;
    }
    piece->kind = EventKind::thinking;
    piece->choice = event.choice;
    piece->at = scratch_.size();
    (last_ != nullptr ? last_->next : first_) = piece;
    last_ = piece;
  }
  last_->ended = true;
  last_->signature_of = event.signature_of;
  last_->signature_size = event.signature.size();
  failed_ = failed_ || !scratch_.append(event.signature);
}

PlainEncoder::Text PlainEncoder::text_of(const Piece& piece) const {
  std::string_view rest = scratch_.view().substr(piece.at);
  Text text;
  for (auto [part, size] : {std::pair{&text.text, piece.text_size},
                            {&text.id, piece.id_size},
                            {&text.name, piece.name_size},
                            {&text.signature, piece.signature_size}}) {
    *part = rest.substr(0, size);
    rest.remove_prefix(size);
  }
  return text;
}

bool PlainEncoder::has(uint32_t choice, EventKind kind) const {
  for (const Piece* piece = first_; piece != nullptr; piece = piece->next) {
    if (piece->choice == choice && piece->kind == kind) return true;
  }
  return false;
}

void PlainEncoder::write() {
  if (seen_.none()) seen_.set(0);
  out_.begin_object();
  write_top(out_, context_, start_, "chat.completion");
  out_.key("choices");
  out_.begin_array();
  for (uint32_t choice = 0; choice < choices_max; ++choice) {
    if (seen_[choice]) write_choice(choice);
  }
  out_.end_array();
  if (usage_.known()) {
    out_.key("usage");
    write_usage(out_, usage_);
  }
  out_.end_object();
}

void PlainEncoder::write_choice(uint32_t choice) {
  out_.begin_object();
  out_.member("index", int64_t{choice});
  out_.key("message");
  write_message(choice);
  out_.key("logprobs");
  out_.null();
  const bool said = has(choice, EventKind::refusal) && !why_refused_[choice];
  out_.member("finish_reason", finish_word(finishes_[choice], context_.legacy_functions, said));
  out_.end_object();
}

void PlainEncoder::write_message(uint32_t choice) {
  const bool text = has(choice, EventKind::text);
  const bool refusal = has(choice, EventKind::refusal);
  const bool calls = has(choice, EventKind::tool_start);
  out_.begin_object();
  out_.member("role", "assistant");
  out_.key("content");
  if (!text && (calls || refusal)) {
    out_.null();
  } else {
    write_joined(choice, EventKind::text);
  }
  out_.key("refusal");
  if (refusal) {
    write_joined(choice, EventKind::refusal);
  } else {
    out_.null();
  }
  if (has(choice, EventKind::thinking)) {
    out_.key("reasoning_content");
    write_joined(choice, EventKind::thinking);
  }
  write_thinking_blocks(choice);
  if (calls) write_calls(choice);
  write_annotations(choice);
  out_.end_object();
}

void PlainEncoder::write_joined(uint32_t choice, EventKind kind) {
  out_.open_string();
  for (const Piece* piece = first_; piece != nullptr; piece = piece->next) {
    if (piece->choice == choice && piece->kind == kind) out_.add_raw(text_of(*piece).text);
  }
  out_.close_string();
}

// Blocks without a signature are worth nothing to anyone.
void PlainEncoder::write_thinking_blocks(uint32_t choice) {
  bool open = false;
  for (const Piece* piece = first_; piece != nullptr; piece = piece->next) {
    const bool redacted = piece->kind == EventKind::redacted_thinking;
    const bool signed_block = piece->kind == EventKind::thinking && piece->signature_size > 0;
    if (piece->choice != choice || (!redacted && !signed_block)) continue;
    if (!open) {
      out_.key("thinking_blocks");
      out_.begin_array();
    }
    open = true;
    const Text text = text_of(*piece);
    out_.begin_object();
    out_.member("type", redacted ? "redacted_thinking" : "thinking");
    if (!redacted) out_.member_raw("thinking", text.text);
    out_.key(redacted ? "data" : "signature");
    out_.open_string();
    add_signature(out_, redacted ? text.text : text.signature, piece->signature_of,
                  Maker::anthropic);
    out_.close_string();
    out_.end_object();
  }
  if (open) out_.end_array();
}

void PlainEncoder::write_calls(uint32_t choice) {
  if (!context_.legacy_functions) {
    out_.key("tool_calls");
    out_.begin_array();
  }
  bool first = true;
  for (const Piece* piece = first_; piece != nullptr; piece = piece->next) {
    if (piece->choice != choice || piece->kind != EventKind::tool_start) continue;
    if (!context_.legacy_functions) {
      write_call(*piece);
    } else if (first) {
      out_.key("function_call");
      out_.begin_object();
      out_.member_raw("name", text_of(*piece).name);
      write_arguments(*piece);
      out_.end_object();
    }
    first = false;
  }
  if (!context_.legacy_functions) out_.end_array();
}

void PlainEncoder::write_call(const Piece& call) {
  const Text text = text_of(call);
  out_.begin_object();
  out_.key("id");
  write_call_id(out_, context_, text.id, call.choice, call.tool);
  out_.member("type", "function");
  if (!text.signature.empty()) write_signature(out_, text.signature, call.signature_of);
  out_.key("function");
  out_.begin_object();
  out_.member_raw("name", text.name);
  write_arguments(call);
  out_.end_object();
  out_.end_object();
}

// They follow their call; the next call of the same choice ends them.
void PlainEncoder::write_arguments(const Piece& call) {
  out_.key("arguments");
  out_.open_string();
  bool any = false;
  for (const Piece* piece = call.next; piece != nullptr; piece = piece->next) {
    if (piece->choice != call.choice) continue;
    if (piece->kind == EventKind::tool_start) break;
    if (piece->kind != EventKind::tool_arguments || piece->tool != call.tool) continue;
    out_.add_raw(text_of(*piece).text);
    any = true;
  }
  if (!any) out_.add_raw("{}");
  out_.close_string();
}

void PlainEncoder::write_annotations(uint32_t choice) {
  bool open = false;
  for (const Piece* piece = first_; piece != nullptr; piece = piece->next) {
    if (piece->choice != choice || piece->kind != EventKind::citation) continue;
    if (!open) {
      out_.key("annotations");
      out_.begin_array();
    }
    open = true;
    const Text text = text_of(*piece);
    write_citation(out_, text.text, text.name);
  }
  if (open) out_.end_array();
}

}  // namespace hyperion::dialect::openai_chat
