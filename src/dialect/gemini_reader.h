// Reads a Google client's request into the canonical one.
//
// One RequestReader for one body, on the stack of `decode_request`. The body is valid JSON (the
// Scanner has passed it); what is judged here is its meaning, and every refusal names the field as
// Google's clients know it: contents[2].parts[0].functionResponse.name. Names come in camelCase or
// snake_case, `null` means "not given", and a lone object may stand for a list of one, as at
// Google. Its functions are in gemini_request.cpp (values, the top level), gemini_config.cpp
// (generationConfig, tools), gemini_contents.cpp (turns, calls and their results) and
// gemini_parts.cpp (the parts of a turn). Memory only from the workspace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/gemini_text.h"
#include "dialect/request_reader.h"

namespace hyperion::dialect::gemini {

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
  // One part of a content, as it was given.
  struct PartFields {
    enum class Data : uint8_t { none, text, blob, call, result, foreign } data = Data::none;
    std::string_view data_name;  // the field that holds it
    bool several = false;        // two of them
    Raw text;
    bool thought = false;
    Raw signature;
    std::string_view media_type;
    Raw bytes;
    Raw url;
    Raw display_name;
    std::string_view detail;
    std::string_view id;
    std::string_view name;
    Json object;             // args, or response
    std::string_view parts;  // of a response
  };
  // A call that waits for its result.
  struct Call {
    Call* next = nullptr;
    std::string_view id;
    std::string_view name;
    bool id_given = false;
    bool answered = false;
  };

  // How many calls one turn may make: so many results are matched with them.
  static constexpr uint32_t calls_per_turn_max = 1024;

  // gemini_request.cpp: values. Each reads the one that comes next; null leaves things as they are.
  bool read_integer(Cursor& cursor, const Place& place, int64_t min, int64_t max, int64_t& integer);
  bool read_json(Cursor& cursor, const Place& place, char first, const char* what, Json& json);
  bool read_schema(Cursor& cursor, const Place& place, bool openapi, Json& schema);
  // Calls `handler` for each element of a list, or for the one object that stands for it.
  bool read_each(Cursor& cursor, const Place& place, Handler handler);
  // Calls the row's function for each known member of an object; others are passed over.
  template <size_t count>
  bool read_members(Cursor& cursor, const Place& place, const FieldRow (&rows)[count]) {
    return read_members(cursor, place, rows, count);
  }
  bool read_members(Cursor& cursor, const Place& place, const FieldRow* rows, size_t count);

  // The top level.
  bool read_top(Cursor& cursor);
  bool read_field(Cursor& cursor, std::string_view key, bool within_extra_body);
  bool pass_over(Cursor& cursor, const Place& place);
  bool read_system(Cursor& cursor, const Place& place);
  bool read_cached_content(Cursor& cursor, const Place& place);
  bool read_safety_settings(Cursor& cursor, const Place& place);
  bool read_labels(Cursor& cursor, const Place& place);
  bool read_store(Cursor& cursor, const Place& place);
  bool read_service_tier(Cursor& cursor, const Place& place);

  // gemini_config.cpp
  bool read_generation_config(Cursor& cursor, const Place& place);
  bool read_candidate_count(Cursor& cursor, const Place& place);
  bool read_output_tokens(Cursor& cursor, const Place& place);
  bool read_top_k(Cursor& cursor, const Place& place);
  bool read_stop_sequences(Cursor& cursor, const Place& place);
  bool read_stop_sequence(Cursor& cursor, const Place& place);
  bool read_mime_type(Cursor& cursor, const Place& place);
  bool read_response_schema(Cursor& cursor, const Place& place);
  bool read_response_json_schema(Cursor& cursor, const Place& place);
  bool read_response_logprobs(Cursor& cursor, const Place& place);
  bool read_logprobs(Cursor& cursor, const Place& place);
  bool read_modalities(Cursor& cursor, const Place& place);
  bool read_modality(Cursor& cursor, const Place& place);
  bool read_thinking_config(Cursor& cursor, const Place& place);
  bool read_include_thoughts(Cursor& cursor, const Place& place);
  bool read_thinking_budget(Cursor& cursor, const Place& place);
  bool read_thinking_level(Cursor& cursor, const Place& place);
  bool read_tools(Cursor& cursor, const Place& place);
  bool read_tool(Cursor& cursor, const Place& place);
  bool read_declaration(Cursor& cursor, const Place& place);
  bool read_tool_config(Cursor& cursor, const Place& place);
  bool read_calling_config(Cursor& cursor, const Place& place);
  bool read_calling_mode(Cursor& cursor, const Place& place);
  bool read_allowed_name(Cursor& cursor, const Place& place);
  bool read_allowed_names(Cursor& cursor, const Place& place);
  bool settle_format(const Place& place);
  void settle_tool_choice();

  // gemini_contents.cpp
  bool read_contents(Cursor& cursor, const Place& place);
  bool read_content(Cursor& cursor, const Place& place);
  bool read_system_part(Cursor& cursor, const Place& place);
  bool read_user_part(Cursor& cursor, const Place& place);
  bool read_model_part(Cursor& cursor, const Place& place);
  bool read_parts(std::string_view parts, const Place& place, Role role);
  bool begin_turn(Role role);
  void end_turn();
  bool take_model_part(const PartFields& fields, const Place& place);
  bool take_user_part(const PartFields& fields, const Place& place);
  bool take_text(const PartFields& fields);
  bool take_blob(const PartFields& fields, const Place& place);
  bool take_thought(const PartFields& fields);
  bool add_thought_text(Raw text);
  bool take_call(const PartFields& fields, const Place& place);
  bool take_result(const PartFields& fields, const Place& place);
  bool take_result_parts(const PartFields& fields, const Place& place, Part& result);
  Call* find_call(const PartFields& fields);
  bool make_id(std::string_view& id);
  Part* add_part(PartKind kind, Message* message);

  // gemini_parts.cpp: one part, taken apart.
  bool read_part(Cursor& cursor, const Place& place, PartFields& fields);
  bool read_blob(Cursor& cursor, const Place& place, PartFields& fields);
  bool read_function(Cursor& cursor, const Place& place, PartFields& fields);
  bool read_resolution(Cursor& cursor, const Place& place, PartFields& fields);
  bool fill_blob(const PartFields& fields, const Place& place, Part& part);

  std::string_view mime_type_;
  std::string_view calling_mode_;
  Chain<Call> calls_;     // of the last turns of the model
  uint32_t content_ = 0;  // index of the content that is read
  uint32_t part_ = 0;     // and of the part in it
  // What the current content becomes: results of tools stand in a message of their own, before the
  // rest.
  Message* results_ = nullptr;
  Message* message_ = nullptr;
  Part* thought_ = nullptr;  // of the model, and may go on in the next part
  bool thought_copied_ = false;
  uint32_t fields_seen_ = 0;  // of the top, a bit for each row
  bool thought_lost_ = false;
  bool user_spoke_ = true;  // since the last turn of the model
};

}  // namespace hyperion::dialect::gemini
