#include <new>

#include "dialect/anthropic_answer_reader.h"
#include "dialect/anthropic_parts.h"
#include "dialect/text.h"
#include "json/validate.h"

// Reads what Anthropic answers. Of a stream each event is judged as a whole first (is it valid
// JSON?), so that no half event is passed on and no text leaves with escapes that mean nothing;
// then one pass finds its members. Blocks come one after another; what is not known, or is the
// provider's own (server tools), is swallowed with all its deltas: new kinds appear monthly.
namespace hyperion::dialect::anthropic {
namespace {

using json::Cursor;

struct FinishRow {
  std::string_view reason;
  Finish finish;
};
// Wire formats, 3.2. A reason that is not here is a new way to stop.
constexpr FinishRow finish_rows[] = {
    {"end_turn", Finish::stop},       {"stop_sequence", Finish::stop_sequence},
    {"max_tokens", Finish::length},   {"model_context_window_exceeded", Finish::length},
    {"tool_use", Finish::tool_calls}, {"pause_turn", Finish::pause},
    {"refusal", Finish::refusal},
};

Finish finish_of(std::string_view reason) {
  for (const FinishRow& row : finish_rows) {
    if (row.reason == reason) return row.finish;
  }
  return Finish::stop;
}

bool is_object(Cursor cursor) { return cursor.peek() == '{'; }

class Decoder final : public AnswerDecoder {
 public:
  Decoder(Arena& arena, ByteBuffer& scratch) : arena_(arena), scratch_(scratch) {}

  void on_stream_event(const http::SseEvent& event, EventReceiver& out) override;
  void on_stream_end(EventReceiver& out) override;
  void on_answer(std::string_view body, EventReceiver& out) override;

 private:
  enum class Block : uint8_t { none, swallowed, text, thinking, tool };

  void on_message_start(const Members& members, EventReceiver& out);
  void on_block_start(const Members& members, EventReceiver& out);
  void on_block_delta(const Members& members, EventReceiver& out);
  void on_message_delta(const Members& members, EventReceiver& out);
  void give_content(Cursor content, EventReceiver& out);
  void begin_block(const Piece& piece, EventReceiver& out);
  void begin_tool(const Piece& piece, EventReceiver& out);
  void end_block(EventReceiver& out);
  void give_text(EventKind kind, std::string_view text, EventReceiver& out);
  void give_arguments(std::string_view text, EventReceiver& out);
  void give_citations(Cursor citations, EventReceiver& out);
  void give_usage(Cursor usage, bool at_start, EventReceiver& out);
  void give_end(EventReceiver& out);
  void keep(const Stop& stop);
  void fail(const char* message, EventReceiver& out);
  void fail_with(std::string_view data, EventReceiver& out);

  Arena& arena_;
  ByteBuffer& scratch_;
  bool started_ = false;
  bool over_ = false;
  Block block_ = Block::none;
  int64_t block_index_ = -1;
  uint32_t tools_count_ = 0;
  bool arguments_given_ = false;
  bool arguments_complete_ = false;  // they stood in the block's start
  std::string_view signature_;       // of the open block of thinking; in the arena
  Finish finish_ = Finish::stop;
  bool stop_given_ = false;
  std::string_view finish_text_;  // in the arena
  TokenCounts counts_;
};

void Decoder::fail(const char* message, EventReceiver& out) {
  ProviderError error;
  error.kind = ErrorKind::server;
  error.status = 502;
  error.message = message;
  error.unreadable = true;
  Event event;
  event.kind = EventKind::error;
  event.error = &error;
  over_ = true;
  out.on_event(event);
}

void Decoder::fail_with(std::string_view data, EventReceiver& out) {
  const ProviderError error = read_stream_error(Wire::anthropic, data);
  Event event;
  event.kind = EventKind::error;
  event.error = &error;
  over_ = true;
  out.on_event(event);
}

void Decoder::on_stream_event(const http::SseEvent& event, EventReceiver& out) {
  if (over_ || !event.has_data) return;
  std::string_view data = event.data;
  if (event.multiple_data) {
    scratch_.clear();
    char* place = scratch_.extend(event.raw.size());
    if (place == nullptr) return fail("No memory is free to read the provider's answer.", out);
    data = {place, http::join_data(event.raw, place)};
  }
  if (!json::is_valid(data)) {
    // An error may come as plain text.
    if (event.event == "error") return fail_with(data, out);
    return fail("The provider sent an event that is not JSON.", out);
  }
  Cursor cursor(data);
  if (cursor.peek() != '{') return fail("The provider sent an event that is not an object.", out);
  Members members;
  members.type = event.event;
  Stop ignored;
  read_members(cursor, members, ignored);
  if (members.type == "content_block_delta") {
    on_block_delta(members, out);
  } else if (members.type == "content_block_start") {
    on_block_start(members, out);
  } else if (members.type == "content_block_stop") {
    if (members.index == block_index_ || members.index < 0) end_block(out);
  } else if (members.type == "message_start") {
    on_message_start(members, out);
  } else if (members.type == "message_delta") {
    on_message_delta(members, out);
  } else if (members.type == "message_stop") {
    give_end(out);
  } else if (members.type == "error" || event.event == "error") {
    fail_with(data, out);
  }
}

void Decoder::on_stream_end(EventReceiver& out) {
  if (!over_) fail("The provider's answer broke off before its end.", out);
}

// A second start comes where a provider goes on with another model: the answer goes on as well.
void Decoder::on_message_start(const Members& members, EventReceiver& out) {
  if (!is_object(members.message)) return fail("The provider's message is not an object.", out);
  end_block(out);
  Members message;
  Stop stop;
  read_members(members.message, message, stop);
  if (!started_) {
    Event event;
    event.kind = EventKind::start;
    event.id = message.id;
    event.model = message.model;
    started_ = true;
    out.on_event(event);
    // Nearly always empty. Calls that a tool of the provider's makes may stand here, whole.
    if (message.content.enter_array()) give_content(message.content, out);
    if (over_) return;
    keep(stop);
  }
  give_usage(message.usage, true, out);
}

// Of an array that was entered: whole blocks.
void Decoder::give_content(Cursor content, EventReceiver& out) {
  while (!over_ && content.next_element()) {
    const Cursor block = content;
    if (!is_object(content)) return fail("The provider's block is not an object.", out);
    content.skip();
    begin_block(read_piece(block), out);
    if (!over_) end_block(out);
  }
}

void Decoder::on_block_start(const Members& members, EventReceiver& out) {
  if (!started_) return fail("The provider's answer began in its middle.", out);
  if (!is_object(members.content)) return fail("The provider's block is not an object.", out);
  end_block(out);
  block_index_ = members.index;
  begin_block(read_piece(members.content), out);
}

void Decoder::begin_block(const Piece& piece, EventReceiver& out) {
  if (piece.type == "text") {
    block_ = Block::text;
    give_text(EventKind::text, piece.text, out);
    give_citations(piece.citations, out);
  } else if (piece.type == "thinking") {
    block_ = Block::thinking;
    signature_ = arena_.copy(piece.signature);
    give_text(EventKind::thinking, piece.thinking, out);
  } else if (piece.type == "tool_use") {
    begin_tool(piece, out);
  } else {
    block_ = Block::swallowed;
    if (piece.type != "redacted_thinking") return;
    Event event;
    event.kind = EventKind::redacted_thinking;
    event.text = piece.data;
    event.signature_of = Maker::anthropic;
    out.on_event(event);
  }
}

void Decoder::begin_tool(const Piece& piece, EventReceiver& out) {
  block_ = Block::tool;
  arguments_given_ = arguments_complete_ = false;
  Event event;
  event.kind = EventKind::tool_start;
  event.tool = tools_count_++;
  event.id = piece.id;
  event.name = piece.name;
  if (event.name.empty()) return fail("The provider called a tool without a name.", out);
  out.on_event(event);
  // In a stream it is an empty object that stands for what follows.
  Cursor input(piece.input);
  std::string_view key;
  if (!input.enter_object() || !input.next_key(key)) return;
  scratch_.clear();
  json::Output escaped(scratch_);
  escaped.add_plain(piece.input);
  if (escaped.failed()) return fail("No memory is free to read the provider's answer.", out);
  give_arguments(escaped.text(), out);
  arguments_complete_ = true;
}

void Decoder::end_block(EventReceiver& out) {
  const Block ended = block_;
  block_ = Block::none;
  block_index_ = -1;
  Event event;
  if (ended == Block::thinking) {
    event.kind = EventKind::thinking_end;
    event.signature = signature_;
    event.signature_of = signature_.empty() ? Maker::unknown : Maker::anthropic;
    signature_ = {};
    out.on_event(event);
  } else if (ended == Block::tool) {
    if (!arguments_given_) give_arguments("{}", out);
    event.kind = EventKind::tool_end;
    event.tool = tools_count_ - 1;
    out.on_event(event);
  }
}

void Decoder::on_block_delta(const Members& members, EventReceiver& out) {
  if (block_ == Block::none || block_ == Block::swallowed) return;
  if (!is_object(members.delta)) return fail("The provider's delta is not an object.", out);
  const Piece piece = read_piece(members.delta);
  if (members.index >= 0 && members.index != block_index_) {
    // A piece of a call that belongs to no open one would make another call of it.
    if (piece.type == "input_json_delta") fail("The provider mixed up its blocks.", out);
    return;
  }
  if (block_ == Block::text && piece.type == "text_delta") {
    give_text(EventKind::text, piece.text, out);
  } else if (block_ == Block::text && piece.type == "citations_delta") {
    give_citations(piece.citations, out);
  } else if (block_ == Block::tool && piece.type == "input_json_delta") {
    if (!arguments_complete_) give_arguments(piece.partial_json, out);
  } else if (block_ == Block::thinking && piece.type == "thinking_delta") {
    give_text(EventKind::thinking, piece.thinking, out);
  } else if (block_ == Block::thinking && piece.type == "signature_delta") {
    if (!arena_.append(signature_, piece.signature))
      fail("No memory is free to read the provider's answer.", out);
  }
}

void Decoder::on_message_delta(const Members& members, EventReceiver& out) {
  Members ignored;
  Stop stop;
  read_members(members.delta, ignored, stop);
  keep(stop);
  give_usage(members.usage, false, out);
}

void Decoder::keep(const Stop& stop) {
  if (stop.reason.empty()) return;
  stop_given_ = true;
  finish_ = finish_of(stop.reason);
  const std::string_view text = finish_ == Finish::refusal         ? stop.explanation
                                : finish_ == Finish::stop_sequence ? stop.sequence
                                                                   : std::string_view();
  finish_text_ = arena_.copy(text);
}

void Decoder::give_text(EventKind kind, std::string_view text, EventReceiver& out) {
  if (text.empty()) return;
  Event event;
  event.kind = kind;
  event.text = text;
  out.on_event(event);
}

void Decoder::give_arguments(std::string_view text, EventReceiver& out) {
  if (text.empty()) return;
  arguments_given_ = true;
  Event event;
  event.kind = EventKind::tool_arguments;
  event.tool = tools_count_ - 1;
  event.text = text;
  out.on_event(event);
}

// One citation or a list of them; only those of pages on the web have a counterpart elsewhere.
void Decoder::give_citations(Cursor citations, EventReceiver& out) {
  const bool list = citations.enter_array();
  while (list ? citations.next_element() : citations.peek() == '{') {
    if (!citations.enter_object()) {
      citations.skip();
      continue;
    }
    Event event;
    event.kind = EventKind::citation;
    std::string_view key;
    while (citations.next_key(key)) {
      if (key == "url") {
        read_text(citations, event.text);
      } else if (key == "title") {
        read_text(citations, event.name);
      } else {
        citations.skip();
      }
    }
    if (!event.text.empty()) out.on_event(event);
    if (!list) return;
  }
}

void Decoder::give_usage(Cursor cursor, bool at_start, EventReceiver& out) {
  if (cursor.peek() != '{') return;
  counts_.read(cursor, at_start);
  const Usage usage = counts_.usage();
  if (!usage.known()) return;
  Event event;
  event.kind = EventKind::usage;
  event.usage = &usage;
  out.on_event(event);
}

void Decoder::give_end(EventReceiver& out) {
  if (!started_) return fail("The provider's answer ended before it began.", out);
  end_block(out);
  if (over_) return;
  // A proper end without its reason: what came says why.
  if (!stop_given_ && tools_count_ > 0) finish_ = Finish::tool_calls;
  Event event;
  event.kind = EventKind::finish;
  event.finish = finish_;
  event.text = finish_text_;
  out.on_event(event);
  over_ = true;
  Event end;
  end.kind = EventKind::end;
  out.on_event(end);
}

void Decoder::on_answer(std::string_view body, EventReceiver& out) {
  if (over_) return;
  if (!json::is_valid(body)) return fail("The provider's answer is not JSON.", out);
  Members members;
  Stop stop;
  Cursor cursor(body);
  read_members(cursor, members, stop);
  if (members.type == "error") return fail_with(body, out);
  Cursor content = members.content;
  if (!content.enter_array()) return fail("The provider's answer has no content.", out);
  Event start;
  start.kind = EventKind::start;
  start.id = members.id;
  start.model = members.model;
  started_ = true;
  out.on_event(start);
  give_content(content, out);
  if (over_) return;
  keep(stop);
  give_usage(members.usage, false, out);
  give_end(out);
}

}  // namespace

AnswerDecoder* make_decoder(Arena& arena, ByteBuffer& scratch) {
  void* place = arena.allocate(sizeof(Decoder), alignof(Decoder));
  return place != nullptr ? new (place) Decoder(arena, scratch) : nullptr;
}

}  // namespace hyperion::dialect::anthropic
