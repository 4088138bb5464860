#include "dialect/openai_responses_answer.h"

#include <new>

#include "dialect/text.h"
#include "json/cursor.h"
#include "json/validate.h"

namespace hyperion::dialect::openai_responses {

using json::Cursor;

namespace {

int64_t integer_of(std::string_view raw, int64_t otherwise) {
  int64_t number = otherwise;
  if (!raw.empty()) Cursor(raw).read_integer(number);
  return number;
}

enum EventField : size_t {
  event_type,
  event_delta,
  event_index,
  event_summary_index,
  event_item,
  event_response,
  event_annotation,
  event_arguments,
  event_error,
  event_fields_count,
};

bool gather_response(std::string_view raw, Member (&fields)[response_fields_count]) {
  fields[response_id].name = "id";
  fields[response_model].name = "model";
  fields[response_created].name = "created_at";
  fields[response_status].name = "status";
  fields[response_output].name = "output";
  fields[response_usage].name = "usage";
  fields[response_error].name = "error";
  fields[response_incomplete].name = "incomplete_details";
  return gather(raw, fields);
}

}  // namespace

void Decoder::fail(EventReceiver& out, std::string_view message) {
  if (over_) return;
  over_ = true;
  ProviderError error;
  error.kind = ErrorKind::server;
  error.status = 502;
  error.message = message;
  error.unreadable = true;
  Event event;
  event.kind = EventKind::error;
  event.error = &error;
  out.on_event(event);
}

void Decoder::fail_as_told(EventReceiver& out, std::string_view told) {
  if (over_) return;
  over_ = true;
  const ProviderError error = read_stream_error(Wire::openai_responses, told);
  Event event;
  event.kind = EventKind::error;
  event.error = &error;
  out.on_event(event);
}

void Decoder::give(EventReceiver& out, EventKind kind, std::string_view text, uint32_t tool) {
  if (over_ || text.empty()) return;
  refused_ |= kind == EventKind::refusal;
  Event event;
  event.kind = kind;
  event.text = text;
  event.tool = tool;
  out.on_event(event);
}

void Decoder::start(const Member* response, EventReceiver& out) {
  if (started_) return;
  started_ = true;
  Event event;
  event.kind = EventKind::start;
  if (response != nullptr) {
    event.id = inside_of(response[response_id].raw);
    event.model = inside_of(response[response_model].raw);
    event.created_s = integer_of(response[response_created].raw, 0);
  }
  out.on_event(event);
}

void Decoder::on_stream_event(const http::SseEvent& event, EventReceiver& out) {
  if (over_ || !event.has_data || event.data.empty() || event.data == "[DONE]") return;
  if (event.multiple_data) return fail(out, "The provider sent an event in several lines.");
  Member fields[event_fields_count] = {
      {"type", {}},          {"delta", {}},     {"output_index", {}},
      {"summary_index", {}}, {"item", {}},      {"response", {}},
      {"annotation", {}},    {"arguments", {}}, {"error", {}},
  };
  if (!gather(event.data, fields)) return fail(out, "The provider sent an event that is not JSON.");
  std::string_view type = inside_of(fields[event_type].raw);
  if (type.empty()) type = event.event;
  // What goes into texts of ours must be well formed: of most events that is a short piece.
  const bool delta = type.starts_with("response.") && type.ends_with(".delta");
  const std::string_view used = delta ? fields[event_delta].raw : event.data;
  if (!used.empty() && !json::is_valid(used)) {
    return fail(out, "The provider sent an event that is not JSON.");
  }
  const bool bare_error = !fields[event_error].raw.empty() && !type.starts_with("response.");
  if (type == "error" || bare_error) return fail_as_told(out, event.data);
  if (delta) return on_delta(type, fields, out);
  if (type == "response.output_item.added") return on_item_added(fields, out);
  if (type == "response.output_item.done") return on_item_done(fields, out);
  if (type == "response.function_call_arguments.done") return on_arguments_done(fields, out);
  if (type == "response.output_text.annotation.added") {
    return on_annotation(fields[event_annotation].raw, out);
  }
  if (type == "response.completed" || type == "response.incomplete" || type == "response.failed") {
    return on_last(type, fields[event_response].raw, out);
  }
  if (type == "response.created" || type == "response.in_progress") {
    Member response[response_fields_count];
    if (!started_ && gather_response(fields[event_response].raw, response)) start(response, out);
  }
}

void Decoder::on_delta(std::string_view type, const Member* fields, EventReceiver& out) {
  const bool text = type == "response.output_text.delta";
  const bool refusal = type == "response.refusal.delta";
  const bool arguments = type == "response.function_call_arguments.delta";
  const bool summary = type == "response.reasoning_summary_text.delta";
  const bool thinking = summary || type == "response.reasoning_text.delta";
  if (!text && !refusal && !arguments && !thinking) return;
  const std::string_view piece = inside_of(fields[event_delta].raw);
  if (piece.empty()) return;
  start(nullptr, out);
  OpenItem* item = find(integer_of(fields[event_index].raw, -1));
  if (arguments) {
    if (item == nullptr || item->kind != ItemKind::call) return;
    item->pieces = true;
    return give(out, EventKind::tool_arguments, piece, item->tool);
  }
  if (thinking) {
    // A model that shows its reasoning as it is needs no summary of it.
    if (item == nullptr || (item->pieces && item->summary != summary)) return;
    const int64_t part = integer_of(fields[event_summary_index].raw, 0);
    if (item->pieces && part != item->part) give(out, EventKind::thinking, "\\n\\n");
    item->pieces = true;
    item->summary = summary;
    item->part = part;
    return give(out, EventKind::thinking, piece);
  }
  if (item != nullptr) item->pieces = true;
  any_item_ = true;
  give(out, text ? EventKind::text : EventKind::refusal, piece);
}

void Decoder::on_item_added(const Member* fields, EventReceiver& out) {
  Member item_fields[item_fields_count];
  const int64_t index = integer_of(fields[event_index].raw, -1);
  if (!gather_item(fields[event_item].raw, item_fields) || index < 0) {
    return fail(out, "The provider began an item that is not valid.");
  }
  start(nullptr, out);
  const ItemKind kind = kind_of(inside_of(item_fields[item_type].raw));
  any_item_ = true;
  if (kind == ItemKind::unknown || find(index) != nullptr) return;
  OpenItem* item = open(index, kind, out);
  if (item != nullptr && kind == ItemKind::call) begin_call(*item, item_fields, out);
}

void Decoder::on_arguments_done(const Member* fields, EventReceiver& out) {
  OpenItem* item = find(integer_of(fields[event_index].raw, -1));
  if (item == nullptr || item->kind != ItemKind::call || item->pieces) return;
  const std::string_view arguments = inside_of(fields[event_arguments].raw);
  item->pieces = !arguments.empty();
  give(out, EventKind::tool_arguments, arguments, item->tool);
}

void Decoder::on_item_done(const Member* fields, EventReceiver& out) {
  Member item_fields[item_fields_count];
  if (!gather_item(fields[event_item].raw, item_fields)) {
    return fail(out, "The provider ended an item that is not valid.");
  }
  start(nullptr, out);
  const int64_t index = integer_of(fields[event_index].raw, -1);
  const ItemKind kind = kind_of(inside_of(item_fields[item_type].raw));
  any_item_ = true;
  if (kind == ItemKind::unknown) return;
  OpenItem* item = find(index);
  if (item == nullptr) {
    item = open(index, kind, out);
    if (item == nullptr) return;
    if (kind == ItemKind::call) begin_call(*item, item_fields, out);
  }
  if (item->kind == kind) finish_item(*item, item_fields, out);
}

void Decoder::on_last(std::string_view type, std::string_view response, EventReceiver& out) {
  Member fields[response_fields_count];
  if (!gather_response(response, fields)) {
    return fail(out, "The provider's last event is not valid.");
  }
  start(fields, out);
  finish(fields, type.substr(std::string_view("response.").size()), out);
}

// Of an item that was cut there may be no end.
void Decoder::end_open_items(EventReceiver& out) {
  for (OpenItem& item : items_) {
    const bool call = item.kind == ItemKind::call;
    if (over_ || item.index < 0 || (!call && item.kind != ItemKind::reasoning)) continue;
    if (!call && !item.pieces) continue;
    Event event;
    event.kind = call ? EventKind::tool_end : EventKind::thinking_end;
    event.tool = item.tool;
    out.on_event(event);
    item.index = -1;
  }
}

void Decoder::finish(const Member* response, std::string_view status, EventReceiver& out) {
  if (status == "failed") {
    const std::string_view error = response[response_error].raw;
    return fail_as_told(out, error.empty() ? "{}" : error);
  }
  if (!any_item_) give_output(response[response_output].raw, out);
  end_open_items(out);
  if (over_) return;
  Usage usage;
  if (!response[response_usage].raw.empty()) {
    Cursor cursor(response[response_usage].raw);
    if (read_usage(cursor, usage)) {
      Event event;
      event.kind = EventKind::usage;
      event.usage = &usage;
      out.on_event(event);
    }
  }
  Event event;
  event.kind = EventKind::finish;
  event.finish = tools_ > 0 ? Finish::tool_calls : refused_ ? Finish::refusal : Finish::stop;
  if (status == "incomplete") {
    Member details[] = {{"reason", {}}};
    gather(response[response_incomplete].raw, details);
    event.text = inside_of(details[0].raw);
    event.finish = event.text == "content_filter" ? Finish::content_filter : Finish::length;
  }
  out.on_event(event);
  over_ = true;
  Event end;
  end.kind = EventKind::end;
  out.on_event(end);
}

void Decoder::on_stream_end(EventReceiver& out) {
  fail(out, "The provider's stream ended before its answer was complete.");
}

void Decoder::on_answer(std::string_view body, EventReceiver& out) {
  if (over_) return;
  Member fields[response_fields_count];
  if (!json::is_valid(body) || !gather_response(body, fields)) {
    return fail(out, "The provider's answer is not valid JSON.");
  }
  std::string_view status = inside_of(fields[response_status].raw);
  if (!fields[response_error].raw.empty()) return fail_as_told(out, body);
  const bool listed =
      !fields[response_output].raw.empty() && fields[response_output].raw.front() == '[';
  if (status.empty() && listed) status = "completed";
  const bool over = status == "completed" || status == "incomplete" || status == "failed";
  if (!over || !listed) return fail(out, "The provider's answer is not complete.");
  start(fields, out);
  finish(fields, status, out);
}

AnswerDecoder* make_decoder(Arena& arena, ByteBuffer&) {
  void* place = arena.allocate(sizeof(Decoder), alignof(Decoder));
  return place != nullptr ? new (place) Decoder() : nullptr;
}

}  // namespace hyperion::dialect::openai_responses
