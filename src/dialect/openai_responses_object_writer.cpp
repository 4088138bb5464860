// How answers of Responses are written: events, items, and the response itself. The order of the
// members is that of OpenAI's own answers, as recorded.

#include <algorithm>

#include "dialect/openai_responses_answer_writer.h"
#include "dialect/text.h"

namespace hyperion::dialect::openai_responses {

namespace {

std::string_view prefix_of(OutputItem::Kind kind) {
  switch (kind) {
    case OutputItem::Kind::message: return "msg_";
    case OutputItem::Kind::reasoning: return "rs_";
    case OutputItem::Kind::call: return "fc_";
  }
  return "";
}

std::string_view message_of(const ProviderError& error) {
  return error.message.empty() ? "The provider's answer broke off." : error.message;
}

}  // namespace

void AnswerWriter::open_event(std::string_view type) {
  dialect::begin_event(out_, type);
  out_.begin_object();
  out_.member("type", type);
}

void AnswerWriter::close_event() {
  out_.member("sequence_number", sequence_++);
  out_.end_object();
  dialect::end_event(out_);
}

void AnswerWriter::write_item_id(const OutputItem& item) {
  out_.open_string();
  out_.add_raw(prefix_of(item.kind));
  out_.add_raw(id_);
  char digits[12];
  size_t size = sizeof(digits);
  uint32_t rest = item.index;
  do {
    digits[--size] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  digits[--size] = '_';
  out_.add_raw({digits + size, sizeof(digits) - size});
  out_.close_string();
}

void AnswerWriter::write_place(const OutputItem& item, bool within_message) {
  out_.key("item_id");
  write_item_id(item);
  out_.member("output_index", int64_t{item.index});
  if (within_message) out_.member("content_index", int64_t{item.parts.count} - 1);
}

void AnswerWriter::write_delta(std::string_view type, const OutputItem& item,
                               std::string_view text) {
  open_event(type);
  write_place(item, item.kind == OutputItem::Kind::message);
  if (item.kind == OutputItem::Kind::reasoning) out_.member("summary_index", int64_t{0});
  out_.member_raw("delta", text);
  const bool text_part = item.kind == OutputItem::Kind::message && !item.parts.last->refusal;
  if (text_part) out_.member_json("logprobs", "[]");
  close_event();
}

void AnswerWriter::write_text_done(std::string_view type, std::string_view field,
                                   const OutputItem& item, const Chain<Span>& text) {
  open_event(type);
  write_place(item, item.kind == OutputItem::Kind::message);
  if (item.kind == OutputItem::Kind::reasoning) out_.member("summary_index", int64_t{0});
  if (item.kind == OutputItem::Kind::call) out_.member_raw("name", item.name);
  out_.key(field);
  write_spans(text);
  if (field == "text" && item.kind == OutputItem::Kind::message) {
    out_.member_json("logprobs", "[]");
  }
  close_event();
}

void AnswerWriter::write_part_event(std::string_view type, const OutputItem& item,
                                    const OutputPart& part, bool with_text) {
  open_event(type);
  write_place(item, true);
  out_.key("part");
  write_part(part, with_text);
  close_event();
}

void AnswerWriter::write_summary_part(std::string_view type, const OutputItem& item,
                                      bool with_text) {
  open_event(type);
  write_place(item, false);
  out_.member("summary_index", int64_t{0});
  out_.key("part");
  out_.begin_object();
  out_.member("type", "summary_text");
  out_.key("text");
  if (with_text) {
    write_spans(item.text);
  } else {
    out_.string("");
  }
  out_.end_object();
  close_event();
}

void AnswerWriter::write_item_event(std::string_view type, const OutputItem& item) {
  open_event(type);
  out_.member("output_index", int64_t{item.index});
  out_.key("item");
  write_item(item, !item.open);
  close_event();
}

void AnswerWriter::write_spans(const Chain<Span>& spans) {
  const std::string_view kept = scratch_.view();
  out_.open_string();
  for (const Span* span = spans.first; span != nullptr; span = span->next) {
    out_.add_raw(kept.substr(span->begin, span->size));
  }
  out_.close_string();
}

void AnswerWriter::write_part(const OutputPart& part, bool whole) {
  out_.begin_object();
  out_.member("type", part.refusal ? "refusal" : "output_text");
  if (!part.refusal) {
    out_.key("annotations");
    out_.begin_array();
    const std::string_view kept = scratch_.view();
    const Span* note = whole ? part.annotations.first : nullptr;
    for (; note != nullptr; note = note->next) out_.value(kept.substr(note->begin, note->size));
    out_.end_array();
    out_.member_json("logprobs", "[]");
  }
  out_.key(part.refusal ? "refusal" : "text");
  if (whole) {
    write_spans(part.text);
  } else {
    out_.string("");
  }
  out_.end_object();
}

void AnswerWriter::write_item(const OutputItem& item, bool whole) {
  out_.begin_object();
  out_.key("id");
  write_item_id(item);
  const char* status = !whole ? "in_progress" : item.cut ? "incomplete" : "completed";
  switch (item.kind) {
    case OutputItem::Kind::message:
      out_.member("type", "message");
      out_.member("status", status);
      out_.key("content");
      out_.begin_array();
      for (const OutputPart* part = whole ? item.parts.first : nullptr; part != nullptr;
           part = part->next) {
        write_part(*part, true);
      }
      out_.end_array();
      out_.member("role", "assistant");
      break;
    case OutputItem::Kind::reasoning:
      out_.member("type", "reasoning");
      out_.key("summary");
      out_.begin_array();
      if (whole && !item.text.empty()) {
        out_.begin_object();
        out_.member("type", "summary_text");
        out_.key("text");
        write_spans(item.text);
        out_.end_object();
      }
      out_.end_array();
      if (whole && !item.encrypted.empty()) {
        out_.key("encrypted_content");
        write_spans(item.encrypted);
      }
      break;
    case OutputItem::Kind::call:
      out_.member("type", "function_call");
      out_.member("status", status);
      out_.key("arguments");
      if (whole) {
        write_spans(item.text);
      } else {
        out_.string("");
      }
      out_.member_raw("call_id", item.call_id);
      out_.member_raw("name", item.name);
      break;
  }
  out_.end_object();
}

void AnswerWriter::write_response_event(std::string_view type, Status status) {
  open_event(type);
  out_.key("response");
  write_response(status);
  close_event();
}

void AnswerWriter::write_error_members(const ProviderError& error) {
  out_.key("code");
  const char* stable = traits_of(error.kind).code;
  if (stable != nullptr) {
    out_.string(stable);
  } else if (!error.code.empty()) {
    out_.raw_string(error.code);
  } else {
    out_.string("server_error");
  }
  out_.member_raw("message", message_of(error));
  out_.key("param");
  out_.null();
}

// Here the API has a closed list of codes, of which two fit.
void AnswerWriter::write_failure() {
  out_.member("code",
              failure_.kind == ErrorKind::rate_limit ? "rate_limit_exceeded" : "server_error");
  out_.member_raw("message", message_of(failure_));
}

void AnswerWriter::write_response(Status status) {
  out_.begin_object();
  out_.key("id");
  out_.open_string();
  out_.add_raw("resp_");
  out_.add_raw(id_);
  out_.close_string();
  out_.member("object", "response");
  out_.member("created_at", created_s_);
  constexpr std::string_view names[] = {"in_progress", "completed", "incomplete", "failed"};
  out_.member("status", names[static_cast<size_t>(status)]);
  out_.member("background", false);
  out_.key("error");
  if (status == Status::failed) {
    out_.begin_object();
    write_failure();
    out_.end_object();
  } else {
    out_.null();
  }
  out_.key("incomplete_details");
  if (status == Status::incomplete) {
    out_.value(finish_ == Finish::length ? R"({"reason":"max_output_tokens"})"
                                         : R"({"reason":"content_filter"})");
  } else {
    out_.null();
  }
  out_.member_json("instructions", "null");
  out_.key("model");
  if (model_.empty()) {
    out_.string(context_.model);
  } else {
    out_.raw_string(model_);
  }
  out_.key("output");
  if (status == Status::in_progress) {
    out_.value("[]");
  } else {
    write_output();
  }
  write_request_echo();
  write_usage();
  out_.end_object();
}

// An item that an error cut has no end: it is left out.
void AnswerWriter::write_output() {
  out_.begin_array();
  for (const OutputItem* item = items_.first; item != nullptr; item = item->next) {
    if (!item->open) write_item(*item, true);
  }
  out_.end_array();
}

// Numbers that nobody reported are 0 where others were: clients read them all.
void AnswerWriter::write_usage() {
  out_.key("usage");
  if (!usage_.known()) {
    out_.null();
    return;
  }
  const auto number = [](int64_t tokens) { return std::max<int64_t>(tokens, 0); };
  out_.begin_object();
  out_.member("input_tokens", number(usage_.prompt_tokens));
  out_.key("input_tokens_details");
  out_.begin_object();
  out_.member("cached_tokens", number(usage_.cached_tokens));
  out_.member("cache_write_tokens", number(usage_.cache_write_tokens));
  out_.end_object();
  out_.member("output_tokens", number(usage_.completion_tokens));
  out_.key("output_tokens_details");
  out_.begin_object();
  out_.member("reasoning_tokens", number(usage_.reasoning_tokens));
  out_.end_object();
  out_.member("total_tokens", number(usage_.prompt_tokens) + number(usage_.completion_tokens));
  out_.end_object();
}

}  // namespace hyperion::dialect::openai_responses
