// Reads the answers of Responses: what language.h says of an AnswerDecoder.
//
// An answer is a list of items; a stream announces each (output_item.added), gives its pieces, and
// repeats the whole item (output_item.done). Pieces are passed on as they come, and whatever the
// pieces left out is taken from the whole item, so that providers which send whole items only are
// read as well. Items of tools that the provider runs, and items not known, are passed over with
// all their events. State is bounded; nothing is kept of the text. Its functions are in
// openai_responses_answer.cpp (events, the whole answer) and openai_responses_answer_items.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/openai_responses_parts.h"

namespace hyperion::dialect::openai_responses {

enum class ItemKind : uint8_t { unknown, message, reasoning, call };

// Of an item that was announced and is not done.
struct OpenItem {
  int64_t index = -1;  // output_index; -1: the place is free
  ItemKind kind = ItemKind::unknown;
  uint32_t tool = 0;
  bool pieces = false;   // text, refusal, thinking or arguments were passed on
  bool summary = false;  // of reasoning: they were of its summary
  int64_t part = 0;      // and of this part of it
};

enum ItemField : size_t {
  item_type,
  item_call_id,
  item_name,
  item_arguments,
  item_content,
  item_summary,
  item_encrypted,
  item_fields_count,
};

enum ResponseField : size_t {
  response_id,
  response_model,
  response_created,
  response_status,
  response_output,
  response_usage,
  response_error,
  response_incomplete,
  response_fields_count,
};

// False: `raw` is no object.
bool gather_item(std::string_view raw, Member (&fields)[item_fields_count]);

ItemKind kind_of(std::string_view type);

class Decoder final : public AnswerDecoder {
 public:
  void on_stream_event(const http::SseEvent& event, EventReceiver& out) override;
  void on_stream_end(EventReceiver& out) override;
  void on_answer(std::string_view body, EventReceiver& out) override;

 private:
  // Open at the same time; OpenAI has them one after another.
  static constexpr size_t items_open_max_count = 32;

  void fail(EventReceiver& out, std::string_view message);
  void fail_as_told(EventReceiver& out, std::string_view error);
  void give(EventReceiver& out, EventKind kind, std::string_view text, uint32_t tool = 0);
  void start(const Member* response, EventReceiver& out);
  void on_delta(std::string_view type, const Member* fields, EventReceiver& out);
  void on_item_added(const Member* fields, EventReceiver& out);
  void on_item_done(const Member* fields, EventReceiver& out);
  void on_arguments_done(const Member* fields, EventReceiver& out);
  void on_annotation(std::string_view annotation, EventReceiver& out);
  void on_last(std::string_view type, std::string_view response, EventReceiver& out);

  OpenItem* find(int64_t index);
  OpenItem* open(int64_t index, ItemKind kind, EventReceiver& out);
  void begin_call(OpenItem& item, const Member* fields, EventReceiver& out);
  void finish_item(OpenItem& item, const Member* fields, EventReceiver& out);
  void give_content(std::string_view content, EventReceiver& out);
  void give_thinking(OpenItem& item, const Member* fields, EventReceiver& out);
  void end_open_items(EventReceiver& out);
  void give_output(std::string_view output, EventReceiver& out);
  void finish(const Member* response, std::string_view status, EventReceiver& out);

  bool started_ = false;
  bool over_ = false;
  bool any_item_ = false;
  bool refused_ = false;
  uint32_t tools_ = 0;
  OpenItem items_[items_open_max_count];
};

}  // namespace hyperion::dialect::openai_responses
