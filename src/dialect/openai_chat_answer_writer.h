// Writes answers for clients of Chat Completions: a stream of chunks, or the whole.
//
// Both encoders take canonical events in any order and write what OpenAI's schema allows and its
// SDKs expect, no more: only its five finish reasons, all the keys it requires. Reasoning goes out
// as `reasoning_content`, its signatures as LiteLLM's `thinking_blocks`, Gemini's signatures as
// Google's own layer has them (extra_content of the call). They live in the arena of the attempt;
// texts are kept in `scratch`. Where memory runs out a plain answer stays unwritten, and a stream
// goes on without what it could not keep (a block of thinking with its signature).
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/language.h"

namespace hyperion::dialect::openai_chat {

// OpenAI's schema allows 128 as `n`; events of a choice beyond are passed over.
inline constexpr uint32_t choices_max = 128;

// The one of OpenAI's five words. `refusal_said`: the client was given the refusal's text.
std::string_view finish_word(Finish finish, bool legacy_functions, bool refusal_said);

void write_usage(json::Output& out, const Usage& usage);

// "call_..." where the provider gave no id: the same for all pieces of the call.
void write_call_id(json::Output& out, const AnswerContext& context, std::string_view id,
                   uint32_t choice, uint32_t tool);
void write_signature(json::Output& out, std::string_view signature, Maker maker);
void write_citation(json::Output& out, std::string_view url, std::string_view title);
// "id", "object", "created", "model".
void write_top(json::Output& out, const AnswerContext& context, const Event& start,
               std::string_view object);

// A stream: each event becomes one chunk, or none.
class StreamEncoder final : public AnswerEncoder {
 public:
  StreamEncoder(const AnswerContext& context, Arena& arena, ByteBuffer& scratch, json::Output& out)
      : context_(context), arena_(arena), scratch_(scratch), out_(out) {}

  void on_event(const Event& event) override;

 private:
  void start(const Event& event);
  // A chunk of one choice up to its delta's members, with the role if it is the first; and its
  // rest.
  void begin_delta(uint32_t choice, bool shares_role = false);
  void end_delta(std::string_view finish_reason = {});
  void open_chunk(uint32_t choice);
  void write_delta_text(const Event& event, std::string_view member);
  void on_thinking(const Event& event);
  void on_thinking_end(const Event& event);
  void on_tool_start(const Event& event);
  void on_tool_arguments(const Event& event);
  void on_finish(const Event& event);
  void on_end();
  void on_error(const Event& event);

  AnswerContext context_;
  Arena& arena_;
  ByteBuffer& scratch_;  // the text of the block of thinking that is open, of choice 0
  json::Output& out_;
  // What every chunk begins with, up to `"choices":`.
  std::string_view top_;
  bool started_ = false;
  bool over_ = false;
  Usage usage_;
  std::bitset<choices_max> begun_;
  std::bitset<choices_max> finished_;
  std::bitset<choices_max> refused_;
};

// A plain answer: kept until its end.
class PlainEncoder final : public AnswerEncoder {
 public:
  PlainEncoder(const AnswerContext& context, Arena& arena, ByteBuffer& scratch, json::Output& out)
      : context_(context), arena_(arena), scratch_(scratch), out_(out) {}

  void on_event(const Event& event) override;

 private:
  // A piece of a choice: texts in `scratch_` one behind the other, three at most.
  struct Piece {
    EventKind kind = EventKind::text;
    Maker signature_of = Maker::unknown;
    bool ended = false;  // thinking: nothing is added any more
    uint32_t choice = 0;
    uint32_t tool = 0;
    size_t at = 0;
    size_t text_size = 0;
    size_t id_size = 0;
    size_t name_size = 0;
    size_t signature_size = 0;
    Piece* next = nullptr;
  };
  struct Text {
    std::string_view text, id, name, signature;
  };

  void keep_start(const Event& event);
  void keep(const Event& event);
  void keep_thinking_end(const Event& event);
  Text text_of(const Piece& piece) const;
  bool has(uint32_t choice, EventKind kind) const;
  void write();
  void write_choice(uint32_t choice);
  void write_message(uint32_t choice);
  void write_joined(uint32_t choice, EventKind kind);
  void write_thinking_blocks(uint32_t choice);
  void write_calls(uint32_t choice);
  void write_call(const Piece& call);
  void write_arguments(const Piece& call);
  void write_annotations(uint32_t choice);

  AnswerContext context_;
  Arena& arena_;
  ByteBuffer& scratch_;
  json::Output& out_;
  Event start_;  // its texts are in the arena
  bool over_ = false;
  bool failed_ = false;
  Usage usage_;
  Piece* first_ = nullptr;
  Piece* last_ = nullptr;
  std::bitset<choices_max> seen_;
  std::bitset<choices_max> finished_;
  std::bitset<choices_max> why_refused_;  // the refusal's text came with the finish
  Finish finishes_[choices_max] = {};
};

}  // namespace hyperion::dialect::openai_chat
