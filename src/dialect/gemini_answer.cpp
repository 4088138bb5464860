// Reads Gemini's answers: a stream's chunks are whole answers whose parts are increments.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

#include "dialect/gemini.h"
#include "dialect/gemini_answer_parts.h"
#include "dialect/gemini_text.h"
#include "dialect/text.h"
#include "json/cursor.h"
#include "json/validate.h"

namespace hyperion::dialect::gemini {
namespace {

using json::Cursor;

// The letters of finishMessage that are kept until the end of the stream.
constexpr size_t reason_max_bytes = 200;

struct Candidate {
  bool seen = false;
  bool saw_call = false;
  bool finished = false;  // a finishReason was seen
  bool told = false;      // its finish was given
  bool thinking = false;  // thoughts came, nothing after them
  bool reason_is_message = false;
  Finish finish = Finish::stop;  // as if there were no call
  uint32_t tools = 0;
  uint32_t citations = 0;
  uint32_t reason_size = 0;
  char reason[reason_max_bytes] = {};

  // False when it is too long.
  bool keep_reason(std::string_view text) {
    if (text.size() > sizeof(reason)) return false;
    reason_size = static_cast<uint32_t>(text.copy(reason, sizeof(reason)));
    return true;
  }
};

uint64_t hash_of(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

class Decoder final : public AnswerDecoder {
 public:
  Decoder(Arena& arena, ByteBuffer& scratch) : arena_(arena), scratch_(scratch) {}

  void on_stream_event(const http::SseEvent& event, EventReceiver& out) override;
  void on_stream_end(EventReceiver& out) override;
  void on_answer(std::string_view body, EventReceiver& out) override;

 private:
  bool read_chunk(std::string_view data, EventReceiver& out);
  bool start(std::string_view data, EventReceiver& out);
  void take_usage(Cursor& cursor, EventReceiver& out);
  bool tell_error(std::string_view data, EventReceiver& out);
  void read_feedback(Cursor& cursor);
  bool read_candidate(Cursor& cursor, std::string_view data, EventReceiver& out);
  bool read_content(Cursor& cursor, uint32_t choice, std::string_view data, EventReceiver& out);
  bool take_part(const PartView& part, uint32_t choice, std::string_view data, EventReceiver& out);
  bool take_call(const PartView& part, uint32_t choice, std::string_view data, EventReceiver& out);
  void read_finish(Cursor& cursor, Candidate& candidate);
  void keep_message(Cursor& cursor, Candidate& candidate);
  void read_grounding(Cursor& cursor, uint32_t choice, EventReceiver& out);
  void end_thinking(uint32_t choice, std::string_view signature, EventReceiver& out);
  void tell_finish(uint32_t choice, EventReceiver& out);
  bool fail(const char* message, EventReceiver& out, const char* code = "");

  Arena& arena_;
  ByteBuffer& scratch_;
  bool plain_ = false;
  bool started_ = false;
  bool over_ = false;
  bool blocked_ = false;
  Usage usage_;
  uint64_t ids_seed_ = 0;
  uint32_t ids_made_ = 0;
  Candidate candidates_[candidates_max];
};

bool Decoder::fail(const char* message, EventReceiver& out, const char* code) {
  over_ = true;
  ProviderError error;
  error.kind = ErrorKind::server;
  error.status = 500;
  error.message = message;
  error.unreadable = true;
  error.code = code;
  Event event;
  event.kind = EventKind::error;
  event.error = &error;
  out.on_event(event);
  return false;
}

void Decoder::on_stream_event(const http::SseEvent& event, EventReceiver& out) {
  if (over_ || !event.has_data) return;
  if (!event.multiple_data) {
    read_chunk(event.data, out);
    return;
  }
  // JSON over several lines; Google does not do that, a proxy may.
  char* const place = static_cast<char*>(arena_.allocate(event.raw.size(), 1));
  if (place == nullptr) {
    fail("The provider's event is too large.", out);
    return;
  }
  read_chunk({place, http::join_data(event.raw, place)}, out);
}

// A stream has no end marker: it was whole if every candidate had its finishReason.
void Decoder::on_stream_end(EventReceiver& out) {
  if (over_) return;
  bool any = false, all = true;
  for (const Candidate& candidate : candidates_) {
    any |= candidate.seen;
    all &= !candidate.seen || candidate.finished;
  }
  if (!any && blocked_) {
    candidates_[0].seen = true;
    any = true;
  }
  if (!any || !all) {
    fail("The provider's stream ended before the answer was complete.", out, "upstream_stream_cut");
    return;
  }
  for (uint32_t choice = 0; choice < candidates_max; ++choice) tell_finish(choice, out);
  over_ = true;
  Event end;
  end.kind = EventKind::end;
  out.on_event(end);
}

void Decoder::on_answer(std::string_view body, EventReceiver& out) {
  if (over_) return;
  const size_t first = body.find_first_not_of(" \t\r\n");
  plain_ = first == std::string_view::npos || body[first] != '[';
  if (read_chunk(body, out)) on_stream_end(out);
}

bool Decoder::read_chunk(std::string_view data, EventReceiver& out) {
  if (!json::is_valid(data)) return fail("The provider's answer is not valid JSON.", out);
  Cursor cursor(data);
  if (cursor.enter_array()) {
    while (cursor.next_element()) {
      std::string_view element;
      cursor.read_raw(element);
      if (element.front() != '{') return fail("The provider's answer is not an object.", out);
      if (!read_chunk(element, out)) return false;
    }
    return true;
  }
  if (!cursor.enter_object()) return fail("The provider's answer is not an object.", out);
  if (!started_ && !start(data, out)) return false;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "candidates" && cursor.enter_array()) {
      while (cursor.next_element()) {
        if (!read_candidate(cursor, data, out)) return false;
      }
    } else if (key == "usageMetadata") {
      take_usage(cursor, out);
    } else if (key == "promptFeedback") {
      read_feedback(cursor);
    } else if (key == "error" && cursor.peek() != 'n') {
      return tell_error(data, out);
    } else {
      cursor.skip();
    }
  }
  return true;
}

bool Decoder::tell_error(std::string_view data, EventReceiver& out) {
  over_ = true;
  const ProviderError error = read_stream_error(Wire::gemini, data);
  Event event;
  event.kind = EventKind::error;
  event.error = &error;
  out.on_event(event);
  return false;
}

// Each report replaces the one before. They are passed on as they come, so that an answer that
// breaks off was counted as far as it came.
void Decoder::take_usage(Cursor& cursor, EventReceiver& out) {
  const Usage before = usage_;
  read_usage(cursor, usage_);
  if (std::memcmp(&before, &usage_, sizeof(before)) == 0 || !usage_.known()) return;
  Event event;
  event.kind = EventKind::usage;
  event.usage = &usage_;
  out.on_event(event);
}

// What the first chunk says beside its candidates, wherever it stands in it. False: it is
// an error, and was given.
bool Decoder::start(std::string_view data, EventReceiver& out) {
  Event event;
  event.kind = EventKind::start;
  std::string_view time, key;
  Usage first;
  Cursor cursor(data);
  cursor.enter_object();
  while (cursor.next_key(key)) {
    if (key == "responseId") {
      read_text(cursor, event.id);
    } else if (key == "modelVersion") {
      read_text(cursor, event.model);
    } else if (key == "createTime") {
      read_text(cursor, time);
    } else if (key == "usageMetadata") {
      read_usage(cursor, first);
    } else if (key == "error" && cursor.peek() != 'n') {
      return tell_error(data, out);
    } else {
      cursor.skip();
    }
  }
  event.created_s = seconds_of(time);
  if (first.known()) event.usage = &first;
  started_ = true;
  out.on_event(event);
  return true;
}

// The prompt itself was refused: no candidate comes.
void Decoder::read_feedback(Cursor& cursor) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    std::string_view reason;
    if (key != "blockReason" || cursor.peek() != '"') {
      cursor.skip();
      continue;
    }
    cursor.read_string(reason);
    blocked_ = true;
    candidates_[0].finish = Finish::content_filter;
    candidates_[0].keep_reason(reason);
  }
}

bool Decoder::read_candidate(Cursor& cursor, std::string_view data, EventReceiver& out) {
  const uint32_t choice = index_of(cursor);
  if (choice == candidates_max || !cursor.enter_object()) {
    cursor.skip();
    return true;
  }
  Candidate& candidate = candidates_[choice];
  candidate.seen = true;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "content") {
      if (!read_content(cursor, choice, data, out)) return false;
    } else if (key == "finishReason") {
      read_finish(cursor, candidate);
    } else if (key == "finishMessage") {
      keep_message(cursor, candidate);
    } else if (key == "groundingMetadata") {
      read_grounding(cursor, choice, out);
    } else {
      cursor.skip();
    }
  }
  if (plain_) {
    // An unspecified reason is the default of the enumeration and left out in JSON.
    candidate.finished = true;
    tell_finish(choice, out);
  }
  return true;
}

bool Decoder::read_content(Cursor& cursor, uint32_t choice, std::string_view data,
                           EventReceiver& out) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return true;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key != "parts" || !cursor.enter_array()) {
      cursor.skip();
      continue;
    }
    while (cursor.next_element()) {
      if (!take_part(read_part(cursor), choice, data, out)) return false;
    }
  }
  return true;
}

bool Decoder::take_part(const PartView& part, uint32_t choice, std::string_view data,
                        EventReceiver& out) {
  Candidate& candidate = candidates_[choice];
  if (!part.call.empty()) return take_call(part, choice, data, out);
  Event event;
  event.choice = choice;
  event.text = part.text;
  if (part.thought) {
    event.kind = EventKind::thinking;
    candidate.thinking |= !part.text.empty();
    if (!part.text.empty()) out.on_event(event);
    if (!part.signature.empty()) end_thinking(choice, part.signature, out);
    return true;
  }
  // Gemini 3 signs a text, often an empty one, for the thoughts before it. Without any the
  // signature has no place to go, and is not asked for again.
  if (!part.text.empty() || !part.signature.empty()) end_thinking(choice, part.signature, out);
  event.kind = EventKind::text;
  if (!part.text.empty()) out.on_event(event);
  return true;
}

// Calls come whole.
bool Decoder::take_call(const PartView& part, uint32_t choice, std::string_view data,
                        EventReceiver& out) {
  const CallView call = read_call(part.call);
  if (call.partial) return fail("The provider sent a function call in parts.", out);
  if (call.name.empty()) return fail("The provider sent a function call without a name.", out);
  if (call.arguments.front() != '{') {
    return fail("The provider sent function arguments that are no object.", out);
  }
  Candidate& candidate = candidates_[choice];
  end_thinking(choice, {}, out);
  candidate.saw_call = true;
  Event event;
  event.choice = choice;
  event.tool = candidate.tools++;
  event.kind = EventKind::tool_start;
  event.name = call.name;
  event.id = call.id;
  event.signature = part.signature;
  if (!part.signature.empty()) event.signature_of = Maker::gemini;
  char id[48];
  if (call.id.empty()) {
    // Older models give none. Unique within the answer by its number, between answers by a hash of
    // the first such chunk, which holds the answer's id.
    if (ids_made_ == 0) ids_seed_ = hash_of(data);
    const int size = std::snprintf(id, sizeof(id), "call_%016llx_%u",
                                   static_cast<unsigned long long>(ids_seed_), ids_made_++);
    event.id = {id, static_cast<size_t>(size)};
  }
  out.on_event(event);
  event.kind = EventKind::tool_arguments;
  event.id = event.name = event.signature = {};
  event.signature_of = Maker::unknown;
  scratch_.clear();
  json::Output escaped(scratch_);
  add_compact(escaped, call.arguments, true);
  if (escaped.failed()) return fail("No memory is free for the arguments of a call.", out);
  event.text = scratch_.view();
  out.on_event(event);
  event.kind = EventKind::tool_end;
  event.text = {};
  out.on_event(event);
  return true;
}

void Decoder::end_thinking(uint32_t choice, std::string_view signature, EventReceiver& out) {
  if (!candidates_[choice].thinking) return;
  candidates_[choice].thinking = false;
  Event event;
  event.kind = EventKind::thinking_end;
  event.choice = choice;
  event.signature = signature;
  if (!signature.empty()) event.signature_of = Maker::gemini;
  out.on_event(event);
}

void Decoder::read_finish(Cursor& cursor, Candidate& candidate) {
  std::string_view reason;
  if (cursor.peek() != '"') {
    cursor.skip();
    return;
  }
  cursor.read_string(reason);
  candidate.finished = true;
  candidate.finish = finish_of(reason, false);
  if (!candidate.reason_is_message) candidate.keep_reason(reason);
}

void Decoder::keep_message(Cursor& cursor, Candidate& candidate) {
  std::string_view message;
  read_text(cursor, message);
  if (!message.empty() && candidate.keep_reason(message)) candidate.reason_is_message = true;
}

void Decoder::tell_finish(uint32_t choice, EventReceiver& out) {
  Candidate& candidate = candidates_[choice];
  if (!candidate.seen || candidate.told) return;
  candidate.told = true;
  end_thinking(choice, {}, out);
  Event event;
  event.kind = EventKind::finish;
  event.choice = choice;
  event.finish = candidate.finish;
  if (event.finish == Finish::stop && candidate.saw_call) event.finish = Finish::tool_calls;
  if (event.finish == Finish::content_filter || event.finish == Finish::malformed_call) {
    event.text = {candidate.reason, candidate.reason_size};
  }
  out.on_event(event);
}

// The list is repeated from chunk to chunk as it grows.
void Decoder::read_grounding(Cursor& cursor, uint32_t choice, EventReceiver& out) {
  std::string_view key;
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  Candidate& candidate = candidates_[choice];
  while (cursor.next_key(key)) {
    if (key != "groundingChunks" || !cursor.enter_array()) {
      cursor.skip();
      continue;
    }
    for (uint32_t i = 0; cursor.next_element(); ++i) {
      const Source source = read_source(cursor);
      if (i < candidate.citations) continue;
      ++candidate.citations;
      if (source.url.empty()) continue;
      Event event;
      event.kind = EventKind::citation;
      event.choice = choice;
      event.text = source.url;
      event.name = source.title;
      out.on_event(event);
    }
  }
}

}  // namespace

AnswerDecoder* make_decoder(Arena& arena, ByteBuffer& scratch) {
  void* const place = arena.allocate(sizeof(Decoder), alignof(Decoder));
  return place != nullptr ? new (place) Decoder(arena, scratch) : nullptr;
}

}  // namespace hyperion::dialect::gemini
