// Reads a client's Chat Completions request into the canonical one.
//
// One RequestReader for one body, on the stack of `decode_request`. The body is valid JSON (the
// Scanner has passed it); what is judged here is its meaning, and every refusal names the field as
// the client wrote it: messages[2].content[0].image_url.url. `null` means "not given" for whatever
// is optional, as at OpenAI. Its functions are in openai_chat_request.cpp (the top level),
// openai_chat_tools.cpp (tools, choices, formats), openai_chat_messages.cpp (messages, calls and
// their results) and openai_chat_content.cpp (content). Memory only from the workspace.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/request_reader.h"

namespace hyperion::dialect::openai_chat {

class RequestReader : private ValueReader {
 public:
  using ValueReader::ValueReader;

  bool read(std::string_view body);

 private:
  using Handler = bool (RequestReader::*)(Cursor& cursor, const Place& place);
  struct FieldRow {
    std::string_view name;
    Handler read;
  };
  struct MessageFields;
  struct PartFields;

  // How many calls one message may make: so many results are matched with them.
  static constexpr size_t calls_per_message_max = 1024;

  // openai_chat_request.cpp: the top level.
  bool read_members(Cursor& cursor, bool within_extra_body);
  bool read_field(Cursor& cursor, std::string_view key, bool within_extra_body);
  bool finish();
  bool read_ignored(Cursor& cursor, const Place& place);
  bool read_max_tokens(Cursor& cursor, const Place& place);
  bool read_max_completion_tokens(Cursor& cursor, const Place& place);
  bool read_n(Cursor& cursor, const Place& place);
  bool read_stop(Cursor& cursor, const Place& place);
  bool read_logprobs(Cursor& cursor, const Place& place);
  bool read_top_logprobs(Cursor& cursor, const Place& place);
  bool read_user(Cursor& cursor, const Place& place);
  bool read_safety_identifier(Cursor& cursor, const Place& place);
  bool read_modalities(Cursor& cursor, const Place& place);
  bool read_safety_settings(Cursor& cursor, const Place& place);
  bool read_stream(Cursor& cursor, const Place& place);
  bool read_stream_options(Cursor& cursor, const Place& place);
  bool read_cache_control(Cursor& cursor, const Place& place);
  static const FieldRow* find_field(std::string_view key);

  // openai_chat_reasoning.cpp
  bool read_reasoning_effort(Cursor& cursor, const Place& place);
  bool read_reasoning(Cursor& cursor, const Place& place);
  bool read_include_reasoning(Cursor& cursor, const Place& place);
  bool read_thinking(Cursor& cursor, const Place& place);
  bool read_thinking_budget(Cursor& cursor, const Place& place);

  // openai_chat_tools.cpp
  bool read_tools(Cursor& cursor, const Place& place);
  bool read_tool(Cursor& cursor, const Place& place);
  bool read_tool_object(Cursor& cursor, const Place& place, Tool& tool);
  bool read_functions(Cursor& cursor, const Place& place);
  bool read_function_call_choice(Cursor& cursor, const Place& place);
  bool read_tool_choice(Cursor& cursor, const Place& place);
  bool read_tool_choice_object(Cursor& cursor, const Place& place);
  bool read_named(std::string_view object, const Place& place, std::string_view& name);
  bool read_allowed_tool(Cursor& cursor, const Place& place);
  bool read_allowed_tools(std::string_view object, const Place& place);
  bool read_response_format(Cursor& cursor, const Place& place);
  bool read_json_schema(std::string_view object, const Place& place);
  bool has_tool(std::string_view name) const;
  bool check_tool_choice();

  // openai_chat_messages.cpp
  bool read_messages(Cursor& cursor, const Place& place);
  bool read_message(Cursor& cursor, const Place& place);
  bool read_assistant(const MessageFields& fields, const Place& place, Message& message);
  bool read_reasoning_parts(const MessageFields& fields, const Place& place, Message& message);
  bool read_thinking_blocks(std::string_view list, const Place& place, Message& message);
  bool read_tool_result(const MessageFields& fields, const Place& place, Message& message);

  // openai_chat_calls.cpp
  bool read_tool_calls(std::string_view list, const Place& place, Message& message);
  bool read_tool_call(Cursor& cursor, const Place& place, Part& call);
  bool read_called_function(std::string_view object, const Place& place, Part& call);
  bool read_custom_call(std::string_view object, const Place& place, Part& call);
  bool read_extra_content(std::string_view object, Part& call);
  bool read_legacy_call(std::string_view object, const Place& place, Message& message);
  bool read_arguments(Cursor& cursor, const Place& place, Part& call);
  bool read_call_id(Cursor& cursor, const Place& place, std::string_view& id, Raw* signature);
  bool begin_calls(Message& message, const Place& place);
  Part* answer_call(std::string_view id, bool by_name);
  bool check_all_answered();

  // openai_chat_content.cpp
  bool read_content(std::string_view content, const Place& place, Role role, Chain<Part>& parts);
  bool read_part(Cursor& cursor, const Place& place, Role role, Chain<Part>& parts);
  bool read_part_value(const PartFields& fields, std::string_view type, const Place& place,
                       Role role, Part& part);
  bool read_image(std::string_view value, const Place& place, Part& part);
  bool read_image_url(Cursor& cursor, const Place& place, Part& part);
  bool read_audio(std::string_view value, const Place& place, Part& part);
  bool read_file(std::string_view value, const Place& place, Part& part);
  bool read_thinking_part(const PartFields& fields, const Place& place, Part& part);
  CacheMark read_mark(std::string_view value);
  Part* add_part(Chain<Part>& parts, PartKind kind, uint32_t index);

  int64_t max_tokens_ = -1;
  int64_t max_completion_tokens_ = -1;
  Raw safety_identifier_;
  bool messages_given_ = false;
  SeenFields seen_;
  // The calls that wait for their results: of this message.
  Message* caller_ = nullptr;
  uint32_t unanswered_ = 0;
  std::bitset<calls_per_message_max> answered_;
};

}  // namespace hyperion::dialect::openai_chat
