// Writes an answer as Anthropic's clients expect it: blocks with rising indexes, each begun and
// ended, then the reason to stop with the usage. Both come at the canonical `end` only, as other
// vendors tell the usage behind the reason.
//
// A signature that came with a call (Gemini's) has no place in a tool_use block. It goes into a
// redacted_thinking block right before it, which clients give back untouched and never show; the
// decoder of requests joins the two again. Likewise a client that asked for no thinking, and so may
// take the first block for the text, gets the signature of what a model thought all the same before
// a call only: there the model wants it back.
// Any order of events is taken; a second finish, or what follows an end, changes nothing. No
// allocation but short copies in the arena.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "dialect/language.h"
#include "json/output.h"

namespace hyperion::dialect::anthropic {

// Of thinking that the client did not ask for.
struct HeldSignature {
  HeldSignature* next = nullptr;
  std::string_view signature;  // in the arena
  Maker maker = Maker::unknown;
};

class AnswerWriter : public AnswerEncoder {
 public:
  AnswerWriter(const AnswerContext& context, Arena& arena, json::Output& out)
      : context_(context), arena_(arena), out_(out) {}

  void on_event(const Event& event) final;

 protected:
  enum class Block : uint8_t { none, text, thinking };

  // What streams and plain answers write differently.
  virtual void write_start(std::string_view id, std::string_view model) = 0;
  virtual void begin_text() = 0;
  virtual void add_text(std::string_view text) = 0;
  virtual void begin_thinking() = 0;
  virtual void add_thinking(std::string_view text) = 0;
  virtual void end_block(const Event& event) = 0;  // of text, or of thinking with its signature
  virtual void write_redacted(const Event& event, std::string_view data) = 0;
  virtual void begin_tool(const Event& event) = 0;
  virtual void add_arguments(const Event& event) = 0;
  virtual void end_tool(const Event& event) = 0;
  virtual void write_end() = 0;
  virtual void write_error(const ProviderError& error) = 0;

  void start(const Event& event);
  void switch_to(Block block);
  void close();
  void give_text(const Event& event);
  void give_thinking(const Event& event);
  void end_thinking(const Event& event);
  void hold_signature(const Event& event);
  void write_signatures();
  void start_tool(const Event& event);
  void write_stop();
  void write_usage(bool all_required);
  void write_id(std::string_view id);
  void write_model(std::string_view model);
  void write_data(const Event& event, std::string_view data);

  const AnswerContext context_;
  Arena& arena_;
  json::Output& out_;
  bool started_ = false;
  bool over_ = false;
  Block block_ = Block::none;
  bool tools_seen_ = false;
  bool refused_ = false;
  Finish finish_ = Finish::stop;
  std::string_view finish_text_;  // in the arena
  Chain<HeldSignature> held_;
  Usage usage_;
};

AnswerEncoder* make_stream_writer(const AnswerContext& context, Arena& arena, json::Output& out);
AnswerEncoder* make_plain_writer(const AnswerContext& context, Arena& arena, json::Output& out);

}  // namespace hyperion::dialect::anthropic
