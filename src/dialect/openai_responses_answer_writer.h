// Writes answers of Responses: what language.h says of an AnswerEncoder.
//
// The dialect repeats itself: a stream's last event holds the whole output, and the end of every
// item holds the whole item. So whatever goes out is kept in `scratch` as well, and each text is a
// list of spans of it, since pieces of several calls may alternate. Memory per answer is that of
// its text and some bytes for every item; where there is none left, a stream ends in an error. No
// allocation for a piece of text but the growth of the two buffers. `scratch` must be this
// encoder's own, and must not be the buffer of `out`.
//
// Thinking becomes the summary of a reasoning item, a signature its encrypted_content (see
// openai_responses_parts.h). Events of choices other than the first have no place and are passed
// over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/language.h"

namespace hyperion::dialect::openai_responses {

// A piece of the scratch buffer.
struct Span {
  Span* next = nullptr;
  size_t begin = 0;
  size_t size = 0;
};

// A part of a message's content.
struct OutputPart {
  OutputPart* next = nullptr;
  bool refusal = false;
  Chain<Span> text;
  Chain<Span> annotations;  // each a JSON object
};

struct OutputItem {
  enum class Kind : uint8_t { message, reasoning, call };

  OutputItem* next = nullptr;
  Kind kind = Kind::message;
  uint32_t index = 0;  // output_index
  bool open = true;
  bool cut = false;         // it ended with the answer, not by itself
  Chain<OutputPart> parts;  // of a message
  Chain<Span> text;         // a call's arguments, the summary of reasoning
  Chain<Span> encrypted;    // of reasoning: the inside of a JSON string
  uint32_t tool = 0;        // of a call
  std::string_view call_id;
  std::string_view name;
};

class AnswerWriter final : public AnswerEncoder {
 public:
  AnswerWriter(const AnswerContext& context, Arena& arena, ByteBuffer& scratch, json::Output& out)
      : context_(context), arena_(arena), scratch_(scratch), out_(out) {}

  void on_event(const Event& event) override;

 private:
  enum class Status : uint8_t { in_progress, completed, incomplete, failed };

  // openai_responses_answer_writer.cpp: what happens.
  void take(const Event& event);
  void begin(const Event& event);
  void on_text(const Event& event, bool refusal);
  void on_thinking(const Event& event);
  void on_thinking_end(const Event& event);
  void add_reasoning(std::string_view mark, std::string_view signature, Maker maker);
  void on_tool_start(const Event& event);
  void on_tool_arguments(const Event& event);
  void on_tool_end(const Event& event);
  void on_citation(const Event& event);
  void on_finish(const Event& event);
  void on_error(const ProviderError& error);
  void finish();
  void close_current(bool cut);
  void close_part();
  void close_item(OutputItem& item, bool cut);
  OutputItem* find_call(uint32_t tool);
  OutputItem* add_item(OutputItem::Kind kind);
  bool keep(Chain<Span>& spans, std::string_view bytes, bool apart = false);
  std::string_view copy(std::string_view text);
  bool give_up();

  // openai_responses_object_writer.cpp: how it is written.
  void open_event(std::string_view type);
  void close_event();
  void write_item_id(const OutputItem& item);
  void write_place(const OutputItem& item, bool within_message);
  void write_delta(std::string_view type, const OutputItem& item, std::string_view text);
  void write_part_event(std::string_view type, const OutputItem& item, const OutputPart& part,
                        bool with_text);
  void write_text_done(std::string_view type, std::string_view field, const OutputItem& item,
                       const Chain<Span>& text);
  void write_summary_part(std::string_view type, const OutputItem& item, bool with_text);
  void write_item_event(std::string_view type, const OutputItem& item);
  void write_item(const OutputItem& item, bool whole);
  void write_part(const OutputPart& part, bool whole);
  void write_spans(const Chain<Span>& spans);
  void write_response_event(std::string_view type, Status status);
  void write_response(Status status);
  void write_output();
  void write_usage();
  void write_error_members(const ProviderError& error);
  void write_failure();

  // openai_responses_echo_writer.cpp
  void write_request_echo();
  void write_tools_echo();
  void write_tool_choice_echo();
  void write_text_echo();

  const AnswerContext context_;
  Arena& arena_;
  ByteBuffer& scratch_;
  json::Output& out_;

  bool begun_ = false;
  bool over_ = false;
  int64_t sequence_ = 0;
  std::string_view id_;     // letters of the provider's id, or of the request's
  std::string_view model_;  // the inside of a JSON string; empty: that of the context
  int64_t created_s_ = 0;

  Chain<OutputItem> items_;
  OutputItem* current_ = nullptr;    // the message or reasoning that goes on
  OutputItem* last_call_ = nullptr;  // that had arguments
  Usage usage_;
  Finish finish_ = Finish::stop;
  bool refused_ = false;  // in words of the model
  std::string_view finish_text_;
  ProviderError failure_;
};

}  // namespace hyperion::dialect::openai_responses
