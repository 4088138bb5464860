#include "dialect/openai_responses_answer_writer.h"

#include <new>

#include "dialect/openai_responses_parts.h"
#include "dialect/text.h"

namespace hyperion::dialect::openai_responses {

namespace {

// Ids of items go back to a provider that takes 64 letters.
constexpr size_t id_size_max_bytes = 40;

// Copies letters, digits, '_' and '-': what every client takes in an id.
size_t copy_letters(std::string_view from, char* to, size_t capacity) {
  size_t size = 0;
  for (char c : from) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
                        (c >= '0' && c <= '9');
    if (letter && size < capacity) to[size++] = c;
  }
  return size;
}

}  // namespace

void AnswerWriter::on_event(const Event& event) {
  if (over_ || event.choice != 0) return;
  if (event.kind == EventKind::error) {
    if (event.error != nullptr) on_error(*event.error);
    over_ = true;
    return;
  }
  if (!begun_) begin(event);
  if (!over_) take(event);
}

void AnswerWriter::take(const Event& event) {
  switch (event.kind) {
    case EventKind::text: return on_text(event, false);
    case EventKind::refusal: refused_ |= !event.text.empty(); return on_text(event, true);
    case EventKind::thinking: return on_thinking(event);
    case EventKind::thinking_end: return on_thinking_end(event);
    case EventKind::redacted_thinking:
      return add_reasoning(redacted_mark, event.text, event.signature_of);
    case EventKind::tool_start: return on_tool_start(event);
    case EventKind::tool_arguments: return on_tool_arguments(event);
    case EventKind::tool_end: return on_tool_end(event);
    case EventKind::citation: return on_citation(event);
    case EventKind::usage:
      if (event.usage != nullptr) usage_ = *event.usage;
      return;
    case EventKind::finish: return on_finish(event);
    case EventKind::end: return finish();
    case EventKind::start:
    case EventKind::error: return;
  }
}

void AnswerWriter::begin(const Event& event) {
  begun_ = true;
  created_s_ = context_.now_s;
  std::string_view id = context_.request_id;
  if (event.kind == EventKind::start) {
    if (event.created_s > 0) created_s_ = event.created_s;
    model_ = copy(event.model);
    if (!event.id.empty()) id = event.id;
  }
  constexpr std::string_view prefix = "resp_";
  if (id.starts_with(prefix)) id.remove_prefix(prefix.size());
  auto* letters = static_cast<char*>(arena_.allocate(id_size_max_bytes, 1));
  if (letters == nullptr) {
    give_up();
    return;
  }
  id_ = {letters, copy_letters(id, letters, id_size_max_bytes)};
  if (!context_.stream) return;
  write_response_event("response.created", Status::in_progress);
  write_response_event("response.in_progress", Status::in_progress);
}

// No memory is left: what was written must not be used, as if the output were full.
bool AnswerWriter::give_up() {
  out_.fail();
  over_ = true;
  return false;
}

std::string_view AnswerWriter::copy(std::string_view text) {
  if (text.empty()) return {};
  const std::string_view copied = arena_.copy(text);
  if (copied.data() == nullptr) give_up();
  return copied;
}

// `apart`: it is never joined with the piece before it.
bool AnswerWriter::keep(Chain<Span>& spans, std::string_view bytes, bool apart) {
  const size_t begin = scratch_.size();
  if (!scratch_.append(bytes)) return give_up();
  Span* last = spans.last;
  if (last != nullptr && !apart && last->begin + last->size == begin) {
    last->size += bytes.size();
    return true;
  }
  auto* span = make<Span>(arena_);
  if (span == nullptr) return give_up();
  span->begin = begin;
  span->size = bytes.size();
  spans.append(span);
  return true;
}

OutputItem* AnswerWriter::add_item(OutputItem::Kind kind) {
  auto* item = make<OutputItem>(arena_);
  if (item == nullptr) {
    give_up();
    return nullptr;
  }
  item->kind = kind;
  item->index = items_.count;
  items_.append(item);
  return item;
}

void AnswerWriter::on_text(const Event& event, bool refusal) {
  if (event.text.empty()) return;
  if (current_ != nullptr && current_->kind != OutputItem::Kind::message) close_current(false);
  if (current_ == nullptr) {
    current_ = add_item(OutputItem::Kind::message);
    if (current_ == nullptr) return;
    if (context_.stream) write_item_event("response.output_item.added", *current_);
  }
  if (!current_->parts.empty() && current_->parts.last->refusal != refusal) close_part();
  if (current_->parts.empty() || current_->parts.last->refusal != refusal) {
    auto* part = make<OutputPart>(arena_);
    if (part == nullptr) {
      give_up();
      return;
    }
    part->refusal = refusal;
    current_->parts.append(part);
    if (context_.stream) {
      write_part_event("response.content_part.added", *current_, *part, false);
    }
  }
  if (!keep(current_->parts.last->text, event.text) || !context_.stream) return;
  write_delta(refusal ? "response.refusal.delta" : "response.output_text.delta", *current_,
              event.text);
}

void AnswerWriter::on_thinking(const Event& event) {
  if (event.text.empty() || !context_.shows_thinking) return;
  if (current_ != nullptr && current_->kind != OutputItem::Kind::reasoning) close_current(false);
  if (current_ == nullptr) {
    current_ = add_item(OutputItem::Kind::reasoning);
    if (current_ == nullptr) return;
    if (context_.stream) {
      write_item_event("response.output_item.added", *current_);
      write_summary_part("response.reasoning_summary_part.added", *current_, false);
    }
  }
  if (!keep(current_->text, event.text) || !context_.stream) return;
  write_delta("response.reasoning_summary_text.delta", *current_, event.text);
}

void AnswerWriter::on_thinking_end(const Event& event) {
  const bool goes_on = current_ != nullptr && current_->kind == OutputItem::Kind::reasoning;
  if (!event.signature.empty()) return add_reasoning({}, event.signature, event.signature_of);
  if (goes_on) close_current(false);
}

// The signature ends the reasoning that goes on, or stands in an item of its own.
void AnswerWriter::add_reasoning(std::string_view mark, std::string_view signature, Maker maker) {
  if (signature.empty()) return;
  const bool goes_on = current_ != nullptr && current_->kind == OutputItem::Kind::reasoning;
  if (!goes_on || !mark.empty()) {
    close_current(false);
    current_ = add_item(OutputItem::Kind::reasoning);
    if (current_ == nullptr) return;
    if (context_.stream) write_item_event("response.output_item.added", *current_);
  }
  const size_t begin = scratch_.size();
  json::Output text(scratch_);
  add_signature(text, mark, maker, Maker::openai);
  text.add_raw(signature);
  auto* span = make<Span>(arena_);
  if (text.failed() || span == nullptr) {
    give_up();
    return;
  }
  span->begin = begin;
  span->size = scratch_.size() - begin;
  current_->encrypted.append(span);
  close_current(false);
}

void AnswerWriter::on_tool_start(const Event& event) {
  add_reasoning(call_mark, event.signature, event.signature_of);
  close_current(false);
  if (over_) return;
  OutputItem* item = add_item(OutputItem::Kind::call);
  if (item == nullptr) return;
  item->tool = event.tool;
  item->call_id = copy(event.id);
  item->name = copy(event.name);
  last_call_ = item;
  if (!over_ && context_.stream) write_item_event("response.output_item.added", *item);
}

OutputItem* AnswerWriter::find_call(uint32_t tool) {
  if (last_call_ != nullptr && last_call_->tool == tool) return last_call_;
  for (OutputItem* item = items_.first; item != nullptr; item = item->next) {
    if (item->kind == OutputItem::Kind::call && item->tool == tool && item->open) {
      return last_call_ = item;
    }
  }
  return nullptr;
}

void AnswerWriter::on_tool_arguments(const Event& event) {
  OutputItem* item = find_call(event.tool);
  if (item == nullptr || !item->open || event.text.empty()) return;
  if (!keep(item->text, event.text) || !context_.stream) return;
  write_delta("response.function_call_arguments.delta", *item, event.text);
}

void AnswerWriter::on_tool_end(const Event& event) {
  OutputItem* item = find_call(event.tool);
  if (item != nullptr && item->open) close_item(*item, false);
}

void AnswerWriter::on_citation(const Event& event) {
  const bool text = current_ != nullptr && current_->kind == OutputItem::Kind::message &&
                    !current_->parts.empty() && !current_->parts.last->refusal;
  if (!text || event.text.empty()) return;
  Chain<Span>& annotations = current_->parts.last->annotations;
  const size_t begin = scratch_.size();
  json::Output note(scratch_);
  note.begin_object();
  note.member("type", "url_citation");
  note.member_raw("url", event.text);
  note.member_raw("title", event.name);
  note.member("start_index", int64_t{0});
  note.member("end_index", int64_t{0});
  note.end_object();
  auto* span = make<Span>(arena_);
  if (note.failed() || span == nullptr) {
    give_up();
    return;
  }
  span->begin = begin;
  span->size = scratch_.size() - begin;
  annotations.append(span);
  if (!context_.stream) return;
  open_event("response.output_text.annotation.added");
  write_place(*current_, true);
  out_.member("annotation_index", int64_t{annotations.count} - 1);
  out_.member_json("annotation", scratch_.view().substr(span->begin, span->size));
  close_event();
}

void AnswerWriter::on_finish(const Event& event) {
  finish_ = event.finish;
  // What the model itself says is an answer, also where it says no.
  if (finish_ == Finish::refusal && refused_) finish_ = Finish::stop;
  if (finish_ == Finish::malformed_call) finish_text_ = copy(event.text);
  const bool wordless = items_.empty() || items_.last->kind != OutputItem::Kind::message;
  if (finish_ == Finish::refusal && wordless) on_text(event, true);
}

void AnswerWriter::close_part() {
  const OutputPart& part = *current_->parts.last;
  if (!context_.stream) return;
  write_text_done(part.refusal ? "response.refusal.done" : "response.output_text.done",
                  part.refusal ? "refusal" : "text", *current_, part.text);
  write_part_event("response.content_part.done", *current_, part, true);
}

void AnswerWriter::close_current(bool cut) {
  if (current_ == nullptr) return;
  OutputItem& item = *current_;
  if (!over_ && item.kind == OutputItem::Kind::message && !item.parts.empty()) close_part();
  if (!over_ && item.kind == OutputItem::Kind::reasoning && !item.text.empty() && context_.stream) {
    write_text_done("response.reasoning_summary_text.done", "text", item, item.text);
    write_summary_part("response.reasoning_summary_part.done", item, true);
  }
  if (!over_) close_item(item, cut);
  current_ = nullptr;
}

void AnswerWriter::close_item(OutputItem& item, bool cut) {
  // A call without arguments has none to parse.
  if (item.kind == OutputItem::Kind::call && item.text.empty() && !cut && !keep(item.text, "{}")) {
    return;
  }
  item.open = false;
  item.cut = cut;
  if (!context_.stream) return;
  if (item.kind == OutputItem::Kind::call) {
    write_text_done("response.function_call_arguments.done", "arguments", item, item.text);
  }
  write_item_event("response.output_item.done", item);
}

void AnswerWriter::finish() {
  const bool cut =
      finish_ == Finish::length || finish_ == Finish::content_filter || finish_ == Finish::refusal;
  close_current(cut);
  for (OutputItem* item = items_.first; item != nullptr && !over_; item = item->next) {
    if (item->open) close_item(*item, cut);
  }
  if (over_) return;
  over_ = true;
  Status status = cut ? Status::incomplete : Status::completed;
  if (finish_ == Finish::malformed_call) {
    status = Status::failed;
    failure_.message = finish_text_.empty() ? "The model called a function in a way that cannot be "
                                              "read."
                                            : finish_text_;
  }
  if (!context_.stream) {
    write_response(status);
    return;
  }
  write_response_event(status == Status::completed    ? "response.completed"
                       : status == Status::incomplete ? "response.incomplete"
                                                      : "response.failed",
                       status);
}

void AnswerWriter::on_error(const ProviderError& error) {
  if (!context_.stream || over_) return;
  if (!begun_) {
    begun_ = true;
    created_s_ = context_.now_s;
  }
  over_ = true;
  failure_ = error;
  open_event("error");
  write_error_members(error);
  // The official clients raise when there is an `error`, as it comes from OpenAI.
  out_.key("error");
  out_.begin_object();
  write_error_members(error);
  out_.member("type", traits_of(error.kind).type);
  out_.end_object();
  close_event();
  write_response_event("response.failed", Status::failed);
}

AnswerEncoder* make_encoder(const AnswerContext& context, Arena& arena, ByteBuffer& scratch,
                            json::Output& out) {
  void* place = arena.allocate(sizeof(AnswerWriter), alignof(AnswerWriter));
  return place != nullptr ? new (place) AnswerWriter(context, arena, scratch, out) : nullptr;
}

}  // namespace hyperion::dialect::openai_responses
