#include "dialect/openai_responses_answer.h"
#include "json/cursor.h"

namespace hyperion::dialect::openai_responses {

using json::Cursor;

ItemKind kind_of(std::string_view type) {
  if (type == "message") return ItemKind::message;
  if (type == "reasoning") return ItemKind::reasoning;
  return type == "function_call" ? ItemKind::call : ItemKind::unknown;
}

bool gather_item(std::string_view raw, Member (&fields)[item_fields_count]) {
  fields[item_type].name = "type";
  fields[item_call_id].name = "call_id";
  fields[item_name].name = "name";
  fields[item_arguments].name = "arguments";
  fields[item_content].name = "content";
  fields[item_summary].name = "summary";
  fields[item_encrypted].name = "encrypted_content";
  return gather(raw, fields);
}

OpenItem* Decoder::find(int64_t index) {
  if (index < 0) return nullptr;
  for (OpenItem& item : items_) {
    if (item.index == index) return &item;
  }
  return nullptr;
}

OpenItem* Decoder::open(int64_t index, ItemKind kind, EventReceiver& out) {
  for (OpenItem& item : items_) {
    if (item.index >= 0) continue;
    item = OpenItem();
    item.index = index < 0 ? 0 : index;
    item.kind = kind;
    any_item_ = true;
    return &item;
  }
  fail(out, "The provider sent too many items at the same time.");
  return nullptr;
}

void Decoder::begin_call(OpenItem& item, const Member* fields, EventReceiver& out) {
  item.tool = tools_++;
  Event event;
  event.kind = EventKind::tool_start;
  event.tool = item.tool;
  event.id = inside_of(fields[item_call_id].raw);
  event.name = inside_of(fields[item_name].raw);
  if (event.name.empty()) return fail(out, "The provider called a function without a name.");
  out.on_event(event);
}

// What the pieces have not given yet, and the end of the item.
void Decoder::finish_item(OpenItem& item, const Member* fields, EventReceiver& out) {
  if (over_) return;
  if (item.kind == ItemKind::message && !item.pieces) {
    give_content(fields[item_content].raw, out);
  } else if (item.kind == ItemKind::reasoning) {
    give_thinking(item, fields, out);
  } else if (item.kind == ItemKind::call) {
    if (!item.pieces) {
      const std::string_view arguments = inside_of(fields[item_arguments].raw);
      give(out, EventKind::tool_arguments, arguments.empty() ? "{}" : arguments, item.tool);
    }
    if (!over_) {
      Event event;
      event.kind = EventKind::tool_end;
      event.tool = item.tool;
      out.on_event(event);
    }
  }
  item.index = -1;
}

void Decoder::give_content(std::string_view content, EventReceiver& out) {
  Cursor cursor(content);
  if (!cursor.enter_array()) return;
  std::string_view raw;
  while (!over_ && cursor.next_element() && cursor.read_raw(raw)) {
    Member part[] = {{"type", {}}, {"text", {}}, {"refusal", {}}, {"annotations", {}}};
    if (!gather(raw, part)) continue;
    const std::string_view type = inside_of(part[0].raw);
    if (type == "output_text") give(out, EventKind::text, inside_of(part[1].raw));
    if (type == "refusal") give(out, EventKind::refusal, inside_of(part[2].raw));
    Cursor annotations(part[3].raw);
    std::string_view annotation;
    if (!annotations.enter_array()) continue;
    while (annotations.next_element() && annotations.read_raw(annotation)) {
      on_annotation(annotation, out);
    }
  }
}

void Decoder::on_annotation(std::string_view annotation, EventReceiver& out) {
  Member fields[] = {{"type", {}}, {"url", {}}, {"title", {}}};
  if (over_ || !gather(annotation, fields)) return;
  Event event;
  event.kind = EventKind::citation;
  event.text = inside_of(fields[1].raw);
  event.name = inside_of(fields[2].raw);
  if (event.text.empty()) return;
  start(nullptr, out);
  out.on_event(event);
}

void Decoder::give_thinking(OpenItem& item, const Member* fields, EventReceiver& out) {
  for (size_t list : {item_content, item_summary}) {
    if (item.pieces) break;
    Cursor cursor(fields[list].raw);
    if (!cursor.enter_array()) continue;
    std::string_view raw;
    while (!over_ && cursor.next_element() && cursor.read_raw(raw)) {
      Member part[] = {{"text", {}}};
      if (!gather(raw, part) || inside_of(part[0].raw).empty()) continue;
      if (item.pieces) give(out, EventKind::thinking, "\\n\\n");
      item.pieces = true;
      give(out, EventKind::thinking, inside_of(part[0].raw));
    }
  }
  Event event;
  event.kind = EventKind::thinking_end;
  event.signature = inside_of(fields[item_encrypted].raw);
  if (over_ || (!item.pieces && event.signature.empty())) return;
  event.signature_of = Maker::openai;
  out.on_event(event);
}

void Decoder::give_output(std::string_view output, EventReceiver& out) {
  Cursor cursor(output);
  if (!cursor.enter_array()) return;
  std::string_view raw;
  while (!over_ && cursor.next_element() && cursor.read_raw(raw)) {
    Member fields[item_fields_count];
    if (!gather_item(raw, fields)) continue;
    OpenItem item;
    item.kind = kind_of(inside_of(fields[item_type].raw));
    if (item.kind == ItemKind::call) begin_call(item, fields, out);
    if (item.kind != ItemKind::unknown) finish_item(item, fields, out);
  }
  if (cursor.failed()) fail(out, "The provider's answer is not valid.");
}

}  // namespace hyperion::dialect::openai_responses
