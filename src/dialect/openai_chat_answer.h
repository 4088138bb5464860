// Reads the answers of OpenAI-shaped providers: plain ones and streams.
//
// One Decoder for one answer, made in the attempt's arena. A chunk is read in one pass of a Cursor
// and its events carry views into it. What hosts do differently is understood wherever it can mean
// one thing only: reasoning under three names, tool calls whole or in pieces with or without index
// and id, usage on any chunk, errors inside chunks. Two things wait for the end: the finish of each
// choice, because some hosts name one early and correct it, and the end itself, which only [DONE]
// can bring. Whatever contradicts itself (bytes that are no JSON, arguments for a call that is
// over, a choice beyond the bound) ends the answer with an error event; nothing follows that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/language.h"
#include "json/cursor.h"

namespace hyperion::dialect::openai_chat {

// A string that comes next; anything else is passed over.
inline std::string_view text_of(json::Cursor& cursor) {
  std::string_view text;
  if (cursor.peek() == '"') {
    cursor.read_string(text);
  } else {
    cursor.skip();
  }
  return text;
}

class Decoder final : public AnswerDecoder {
 public:
  Decoder(Arena& arena, ByteBuffer& scratch) : arena_(arena), scratch_(scratch) {}

  void on_stream_event(const http::SseEvent& event, EventReceiver& out) override;
  void on_stream_end(EventReceiver& out) override;
  void on_answer(std::string_view body, EventReceiver& out) override;

 private:
  using Cursor = json::Cursor;

  // OpenAI's schema allows 128 as `n`.
  static constexpr size_t choices_max = 128;
  static constexpr size_t stop_sequence_max_bytes = 256;

  struct Choice {
    bool seen = false;
    bool thinking = false;  // a block of it is open
    bool refused = false;
    bool tool_open = false;
    bool tool_has_arguments = false;
    Finish finish = Finish::stop;
    uint32_t tools = 0;         // begun so far
    int64_t tool_index = -1;    // of the last one, in the provider's count; -1: not given
    uint64_t tool_id_hash = 0;  // 0: not given
    std::string_view stop_sequence;
  };

  // What stands at the top of a chunk or an answer.
  struct Top {
    std::string_view id;
    std::string_view model;
    int64_t created_s = 0;
    Cursor choices{std::string_view()};
    bool has_choices = false;
    bool error = false;
    std::string_view citations;
    std::string_view search_results;
    Usage usage;
    bool usage_given = false;
  };
  // What stands in a delta or a message: the order of members is the provider's, the order of
  // events is not.
  struct Delta;
  struct Call {
    int64_t index = -1;
    std::string_view id;
    std::string_view name;
    std::string_view arguments;  // inside of a string, or
    std::string_view object;     // an object, as some hosts have it
    std::string_view signature;
  };

  void read_top(std::string_view data, bool plain, EventReceiver& out);
  bool read_top_member(Cursor& cursor, std::string_view key, Top& top, bool plain,
                       EventReceiver& out);
  void read_groq(Cursor& cursor, Top& top);
  void start(const Top& top, EventReceiver& out);
  bool read_choices(Cursor& cursor, bool plain, EventReceiver& out);
  bool read_choice(Cursor& cursor, bool plain, EventReceiver& out);
  void read_finish(Choice& choice, std::string_view reason, std::string_view stop_sequence);
  Choice* choice_at(int64_t index);

  // openai_chat_delta.cpp
  bool read_delta(Cursor& cursor, uint32_t index, Choice& choice, EventReceiver& out);
  bool read_delta_thinking(Delta& delta, uint32_t index, Choice& choice, EventReceiver& out);
  void read_reasoning_details(Cursor cursor, bool texts, uint32_t index, Choice& choice,
                              EventReceiver& out);
  void read_content_parts(Cursor cursor, uint32_t index, Choice& choice, EventReceiver& out);
  void read_content_part(Cursor& cursor, uint32_t index, Choice& choice, EventReceiver& out);
  void read_annotations(Cursor cursor, uint32_t index, EventReceiver& out);

  // openai_chat_answer_calls.cpp
  bool read_tool_calls(Cursor cursor, uint32_t index, Choice& choice, EventReceiver& out);
  bool read_tool_call(Cursor& cursor, Call& call);
  void read_function(Cursor& cursor, Call& call);
  void read_extra_content(Cursor& cursor, Call& call);
  bool on_call(const Call& call, uint32_t index, Choice& choice, EventReceiver& out);
  void end_tool(uint32_t index, Choice& choice, EventReceiver& out);
  void emit_escaped(std::string_view json, uint32_t index, uint32_t tool, EventReceiver& out);

  // openai_chat_delta.cpp
  void on_text(EventKind kind, std::string_view text, uint32_t index, Choice& choice,
               EventReceiver& out);
  void on_thinking(std::string_view text, uint32_t index, Choice& choice, EventReceiver& out);
  void end_thinking(std::string_view signature, Maker maker, uint32_t index, Choice& choice,
                    EventReceiver& out);

  void read_citations(const Top& top, EventReceiver& out);
  void finish_all(EventReceiver& out);
  void fail(const ProviderError& error, EventReceiver& out);
  bool fail(const char* message, EventReceiver& out);

  Arena& arena_;
  ByteBuffer& scratch_;
  bool started_ = false;
  bool over_ = false;
  bool cited_ = false;
  bool error_said_ = false;  // a finish reason of "error" and the like
  ErrorKind error_kind_ = ErrorKind::server;
  Choice first_;
  Choice* others_ = nullptr;  // of index 1 and more, once there are any
};

}  // namespace hyperion::dialect::openai_chat
