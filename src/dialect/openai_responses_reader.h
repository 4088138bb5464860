// Reads a client's Responses request into the canonical one.
//
// One RequestReader for one body, on the stack of `decode_request`. The body is valid JSON (the
// Scanner has passed it); what is judged here is its meaning, and every refusal names the field as
// the client wrote it: input[2].content[0].image_url. `null` means "not given" for whatever is
// optional, as at OpenAI. The top level is gathered first and read in a fixed order, as keys of an
// object may stand in any. Its functions are in openai_responses_request.cpp (the top level),
// openai_responses_tools.cpp (tools, choices, formats), openai_responses_items.cpp (the input) and
// openai_responses_content.cpp (content).
// Memory only from the workspace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/openai_responses_parts.h"
#include "dialect/request_reader.h"

namespace hyperion::dialect::openai_responses {

class RequestReader : private ValueReader {
 public:
  using ValueReader::ValueReader;

  bool read(std::string_view body);

 private:
  using Handler = bool (RequestReader::*)(std::string_view raw, const Place& place);
  struct FieldRow {
    std::string_view name;
    Handler read;
  };
  static constexpr size_t fields_max_count = 40;
  static const FieldRow field_rows[];
  static size_t fields_count();

  // A call of a function, until its result has come.
  struct Call {
    Call* next = nullptr;  // of the same bucket
    Call* before = nullptr;
    std::string_view id;
    int64_t index = 0;  // in the input
    bool answered = false;
  };
  static constexpr size_t call_buckets_count = 256;

  // openai_responses_request.cpp: values.
  // "expected WHAT, got a number", or the word that was given.
  bool expected(const Place& place, const char* what, std::string_view given);
  bool text(std::string_view raw, const Place& place, Raw& text);
  bool plain(std::string_view raw, const Place& place, std::string_view& plain);
  bool flag(std::string_view raw, const Place& place, Flag& flag);
  bool integer(std::string_view raw, const Place& place, int64_t min, int64_t max, int64_t& number);
  bool number(std::string_view raw, const Place& place, Json& number);
  bool object(std::string_view raw, const Place& place, Json& object);
  // Gathers the members of an object, or refuses what is none.
  template <size_t count>
  bool members(std::string_view raw, const Place& place, Member (&members)[count]) {
    return gather(raw, members) || expected(place, "an object", raw);
  }
  // Of the object that comes next: so an element of a list is read where it stands, not passed over
  // first.
  template <size_t count>
  bool members(json::Cursor& cursor, const Place& place, Member (&members)[count]) {
    if (gather(cursor, members, count)) return true;
    std::string_view raw;
    cursor.read_raw(raw);
    return expected(place, "an object", raw);
  }

  // openai_responses_request.cpp: the top level.
  bool gather_fields(std::string_view body, bool within_extra_body);
  bool read_stateful(std::string_view raw, const Place& place);
  bool read_background(std::string_view raw, const Place& place);
  bool read_include(std::string_view raw, const Place& place);
  bool read_max_output_tokens(std::string_view raw, const Place& place);
  bool read_metadata(std::string_view raw, const Place& place);
  bool read_parallel_tool_calls(std::string_view raw, const Place& place);
  bool read_reasoning(std::string_view raw, const Place& place);
  bool read_user(std::string_view raw, const Place& place);
  bool read_service_tier(std::string_view raw, const Place& place);
  bool read_store(std::string_view raw, const Place& place);
  bool read_stream(std::string_view raw, const Place& place);
  bool read_stream_options(std::string_view raw, const Place& place);
  bool read_temperature(std::string_view raw, const Place& place);
  bool read_top_p(std::string_view raw, const Place& place);
  bool read_top_logprobs(std::string_view raw, const Place& place);
  bool read_truncation(std::string_view raw, const Place& place);

  // openai_responses_tools.cpp
  bool read_text(std::string_view raw, const Place& place);
  bool read_format(std::string_view raw, const Place& place);
  bool read_tools(std::string_view raw, const Place& place);
  bool read_tool(std::string_view raw, const Place& place, int64_t index);
  bool read_function_tool(const Member* fields, const Place& place, Tool& tool);
  bool read_tool_choice(std::string_view raw, const Place& place);
  bool read_tool_choice_object(std::string_view raw, const Place& place);
  bool read_allowed_tools(const Member* fields, const Place& place);
  bool check_choice(std::string_view name, const Place& place);

  // openai_responses_items.cpp
  bool read_instructions(std::string_view raw, const Place& place);
  bool read_input(std::string_view raw, const Place& place);
  bool read_item(json::Cursor& items, const Place& place, int64_t index);
  bool read_item_of_type(std::string_view type, const Member* fields, const Place& place,
                         int64_t index);
  bool read_message(const Member* fields, const Place& place, int64_t index);
  bool read_reasoning_item(const Member* fields, const Place& place, int64_t index);
  bool read_reasoning_texts(std::string_view list, const Place& place, int64_t item, Part*& last);
  Part* add_thinking(PartKind kind, int64_t item, int64_t index);
  bool read_function_call(const Member* fields, const Place& place, int64_t index);
  bool read_function_call_output(const Member* fields, const Place& place, int64_t index);
  Message* add_message(Role role, int64_t index);
  Message* assistant_turn(int64_t index);
  Part* add_part(Chain<Part>& parts, PartKind kind, int64_t index);
  Call** bucket_of(std::string_view id);
  bool check_all_answered(const Place& place);

  // openai_responses_content.cpp
  bool read_content(std::string_view raw, const Place& place, Role role, Chain<Part>& parts);
  bool read_part(json::Cursor& items, const Place& place, Role role, int64_t index,
                 Chain<Part>& parts);
  bool read_image(const Member* fields, const Place& place, Part& part);
  bool read_file(const Member* fields, const Place& place, Part& part);
  bool read_audio(std::string_view raw, const Place& place, Part& part);
  bool read_mark(std::string_view raw, const Place& place, Part& part);

  std::string_view fields_[fields_max_count];  // raw, by row

  // The assistant's turn that the items before this one make up, if they do.
  Message* turn_ = nullptr;
  bool turn_ends_in_message_ = false;
  // For the call that follows.
  std::string_view call_signature_;
  Maker call_signature_of_ = Maker::unknown;
  Call** calls_ = nullptr;  // by hash
  Call* last_call_ = nullptr;
};

}  // namespace hyperion::dialect::openai_responses
