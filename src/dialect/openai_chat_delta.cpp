#include "dialect/openai_chat_answer.h"

namespace hyperion::dialect::openai_chat {
namespace {

// Whose reasoning OpenRouter passes on ("anthropic-claude-v1").
Maker maker_of_format(std::string_view format) {
  if (format.starts_with("anthropic")) return Maker::anthropic;
  if (format.starts_with("google")) return Maker::gemini;
  if (format.starts_with("openai")) return Maker::openai;
  return Maker::unknown;
}

}  // namespace

struct Decoder::Delta {
  std::string_view content;
  std::string_view refusal;
  std::string_view reasoning_content;
  std::string_view reasoning;
  std::string_view content_parts;
  std::string_view reasoning_details;
  std::string_view tool_calls;
  std::string_view function_call;
  std::string_view annotations;
};

bool Decoder::read_delta(Cursor& cursor, uint32_t index, Choice& choice, EventReceiver& out) {
  Delta delta;
  cursor.enter_object();
  std::string_view key;
  while (cursor.next_key(key)) {
    const char next = cursor.peek();
    if (key == "content") {
      if (next == '[') {
        cursor.read_raw(delta.content_parts);
      } else if (next == '"' || next == 'n') {
        delta.content = text_of(cursor);
      } else {
        return fail("The provider's answer is not valid.", out);
      }
    } else if (next == 'n') {
      cursor.skip();
    } else if (key == "tool_calls") {
      cursor.read_raw(delta.tool_calls);
    } else if (key == "reasoning_content") {
      delta.reasoning_content = text_of(cursor);
    } else if (key == "reasoning") {
      delta.reasoning = text_of(cursor);
    } else if (key == "reasoning_details") {
      cursor.read_raw(delta.reasoning_details);
    } else if (key == "refusal") {
      delta.refusal = text_of(cursor);
    } else if (key == "function_call") {
      cursor.read_raw(delta.function_call);
    } else if (key == "annotations") {
      cursor.read_raw(delta.annotations);
    } else {
      cursor.skip();
    }
  }
  if (!read_delta_thinking(delta, index, choice, out)) return false;
  if (!delta.content_parts.empty()) {
    read_content_parts(Cursor(delta.content_parts), index, choice, out);
  }
  on_text(EventKind::text, delta.content, index, choice, out);
  if (!delta.refusal.empty()) choice.refused = true;
  on_text(EventKind::refusal, delta.refusal, index, choice, out);
  if (!delta.annotations.empty()) read_annotations(Cursor(delta.annotations), index, out);
  if (!delta.tool_calls.empty() && !read_tool_calls(Cursor(delta.tool_calls), index, choice, out)) {
    return false;
  }
  if (!delta.function_call.empty()) {
    Call call;
    call.index = 0;
    Cursor function(delta.function_call);
    read_function(function, call);
    return on_call(call, index, choice, out);
  }
  return true;
}

// The same text stands under several names at some hosts: the first that says something counts.
bool Decoder::read_delta_thinking(Delta& delta, uint32_t index, Choice& choice,
                                  EventReceiver& out) {
  const std::string_view text =
      delta.reasoning_content.empty() ? delta.reasoning : delta.reasoning_content;
  on_thinking(text, index, choice, out);
  if (!delta.reasoning_details.empty()) {
    read_reasoning_details(Cursor(delta.reasoning_details), text.empty(), index, choice, out);
  }
  return true;
}

// OpenRouter's: [{"type": "reasoning.text", "text": .., "signature": .., "format": ..}].
void Decoder::read_reasoning_details(Cursor cursor, bool texts, uint32_t index, Choice& choice,
                                     EventReceiver& out) {
  if (!cursor.enter_array()) return;
  while (cursor.next_element()) {
    if (!cursor.enter_object()) {
      cursor.skip();
      continue;
    }
    std::string_view type, text, signature, data, key;
    Maker maker = Maker::unknown;
    while (cursor.next_key(key)) {
      if (key == "type") {
        type = text_of(cursor);
      } else if (key == "text" || key == "summary") {
        text = text_of(cursor);
      } else if (key == "signature") {
        signature = text_of(cursor);
      } else if (key == "data") {
        data = text_of(cursor);
      } else if (key == "format") {
        maker = maker_of_format(text_of(cursor));
      } else {
        cursor.skip();
      }
    }
    if (texts) on_thinking(text, index, choice, out);
    if (!signature.empty()) {
      choice.thinking = true;  // the text may have been none
      end_thinking(signature, maker, index, choice, out);
    }
    if (type == "reasoning.encrypted" && maker == Maker::anthropic && !data.empty()) {
      end_thinking({}, Maker::unknown, index, choice, out);
      Event event;
      event.kind = EventKind::redacted_thinking;
      event.choice = index;
      event.text = data;
      event.signature_of = maker;
      out.on_event(event);
    }
  }
}

// Mistral's reasoning models answer in parts.
void Decoder::read_content_parts(Cursor cursor, uint32_t index, Choice& choice,
                                 EventReceiver& out) {
  if (!cursor.enter_array()) return;
  while (cursor.next_element()) read_content_part(cursor, index, choice, out);
}

void Decoder::read_content_part(Cursor& cursor, uint32_t index, Choice& choice,
                                EventReceiver& out) {
  if (cursor.peek() == '"') {
    on_text(EventKind::text, text_of(cursor), index, choice, out);
    return;
  }
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  std::string_view type, text, refusal, thinking, key;
  while (cursor.next_key(key)) {
    if (key == "type") {
      type = text_of(cursor);
    } else if (key == "text") {
      text = text_of(cursor);
    } else if (key == "refusal") {
      refusal = text_of(cursor);
    } else if (key == "thinking") {
      cursor.read_raw(thinking);
    } else {
      cursor.skip();
    }
  }
  if (type == "text") on_text(EventKind::text, text, index, choice, out);
  if (type == "refusal") on_text(EventKind::refusal, refusal, index, choice, out);
  if (type != "thinking") return;
  Cursor inner(thinking);
  if (inner.peek() == '"') {
    on_thinking(text_of(inner), index, choice, out);
    return;
  }
  if (!inner.enter_array()) return;
  while (inner.next_element()) {
    if (!inner.enter_object()) {
      inner.skip();
      continue;
    }
    while (inner.next_key(key)) {
      if (key == "text") {
        on_thinking(text_of(inner), index, choice, out);
      } else {
        inner.skip();
      }
    }
  }
}

// [{"type": "url_citation", "url_citation": {"url": .., "title": ..}}]
void Decoder::read_annotations(Cursor cursor, uint32_t index, EventReceiver& out) {
  if (!cursor.enter_array()) return;
  while (cursor.next_element()) {
    if (!cursor.enter_object()) {
      cursor.skip();
      continue;
    }
    Event event;
    event.kind = EventKind::citation;
    event.choice = index;
    std::string_view key;
    while (cursor.next_key(key)) {
      if (key != "url_citation" || !cursor.enter_object()) {
        cursor.skip();
        continue;
      }
      while (cursor.next_key(key)) {
        if (key == "url") {
          event.text = text_of(cursor);
        } else if (key == "title") {
          event.name = text_of(cursor);
        } else {
          cursor.skip();
        }
      }
    }
    if (!event.text.empty()) out.on_event(event);
  }
}

void Decoder::on_text(EventKind kind, std::string_view text, uint32_t index, Choice& choice,
                      EventReceiver& out) {
  if (text.empty()) return;
  end_thinking({}, Maker::unknown, index, choice, out);
  end_tool(index, choice, out);
  Event event;
  event.kind = kind;
  event.choice = index;
  event.text = text;
  out.on_event(event);
}

void Decoder::on_thinking(std::string_view text, uint32_t index, Choice& choice,
                          EventReceiver& out) {
  if (text.empty()) return;
  end_tool(index, choice, out);
  choice.thinking = true;
  Event event;
  event.kind = EventKind::thinking;
  event.choice = index;
  event.text = text;
  out.on_event(event);
}

void Decoder::end_thinking(std::string_view signature, Maker maker, uint32_t index, Choice& choice,
                           EventReceiver& out) {
  if (!choice.thinking) return;
  choice.thinking = false;
  Event event;
  event.kind = EventKind::thinking_end;
  event.choice = index;
  event.signature = signature;
  event.signature_of = maker;
  out.on_event(event);
}

}  // namespace hyperion::dialect::openai_chat
