// Writes the canonical request as Anthropic wants it.
//
// One RequestWriter for one request, on the stack of `encode_request`. What a model accepts is read
// from its row in the catalogue, never from its name; a model that is not in it gets what every
// model takes. What cannot be said goes through Notes. The order of the fields is fixed, and what
// stands before a cache mark (tools, system, messages, in this order) is written from the request
// alone, so that equal conversations give equal bytes. Its functions are in
// anthropic_request_writer.cpp (the top level), anthropic_thinking_writer.cpp (thinking, effort,
// sampling), anthropic_tools_writer.cpp (tools, formats), anthropic_turns_writer.cpp (system and
// turns) and anthropic_blocks_writer.cpp (blocks). False anywhere: notes.problem says why.
#pragma once

#include <cstdint>
#include <string_view>

#include "dialect/anthropic_parts.h"
#include "dialect/language.h"

namespace hyperion::dialect::anthropic {

// How the model is told to think.
struct ThinkingPlan {
  enum class Kind : uint8_t { omitted, adaptive, enabled, disabled, between_tools };
  Kind kind = Kind::omitted;
  int64_t budget_tokens = 0;  // of `enabled`
  bool effort_given = false;
  catalog::Effort effort = catalog::Effort::none;

  bool thinks() const { return kind == Kind::adaptive || kind == Kind::enabled; }
};

class RequestWriter {
 public:
  RequestWriter(const Request& request, const Target& target, Workspace workspace,
                json::Output& out, Notes& notes)
      : request_(request),
        target_(target),
        model_(target.model),
        workspace_(workspace),
        out_(out),
        notes_(notes) {}

  bool write();

 private:
  // anthropic_request_writer.cpp
  bool note_what_is_left_out();
  void plan_max_tokens();
  void count_marks();
  void write_stop();
  void write_user();
  void write_service_tier();
  void write_mark(CacheMark mark);

  // anthropic_thinking_writer.cpp
  bool plan_thinking();
  bool plan_adaptive(bool off, bool effort_wanted, catalog::Effort wanted);
  bool plan_budget(bool effort_wanted, catalog::Effort wanted);
  bool plan_effort(catalog::Effort wanted);
  bool last_turn_allows_thinking() const;
  void write_thinking();
  bool write_sampling();

  // anthropic_tools_writer.cpp
  bool plan_tools();
  bool is_written(const Tool& tool) const;
  bool write_tools();
  void write_tool(const Tool& tool);
  void write_parameters(std::string_view schema);
  void write_used_tools();
  bool write_tool_choice();
  bool has_schema_format() const;
  bool plan_format();
  bool write_output_config();
  void write_instruction(std::string_view schema);

  // anthropic_turns_writer.cpp
  bool plan_turns();
  void write_system();
  bool write_messages();
  const Message* write_assistant_turn(const Message* first);
  const Message* write_user_turns(const Message* first);
  bool write_results(const Message* first, const Message* end);
  bool is_last_turn(const Message* first) const;
  void open_turn(std::string_view role);
  void close_turn();

  // anthropic_blocks_writer.cpp
  bool is_written(const Part& part) const;
  bool write_part(const Part& part, const Message& message);
  bool write_text(const Part& part, std::string_view text);
  void write_thinking_part(const Part& part);
  void write_call(const Part& part);
  bool write_result(const Part& part, const Message& message);
  bool write_image(const Part& part, const Message& message);
  bool write_file(const Part& part, const Message& message);
  bool write_text_file(const Part& part);
  void write_base64_source(std::string_view media_type, const Part& part);
  void write_id(std::string_view id);
  bool cannot_part(Feature feature, const Part& part, const Message& message);

  const Request& request_;
  const Target& target_;
  const catalog::Model* model_;
  Workspace workspace_;
  json::Output& out_;
  Notes& notes_;

  int64_t max_tokens_ = 0;
  ThinkingPlan plan_;
  bool tools_written_ = false;
  bool tools_invented_ = false;  // the request has none, but its conversation uses some
  enum class FormatPlan : uint8_t { none, schema, instructed, instructed_schema };
  FormatPlan format_plan_ = FormatPlan::none;
  uint32_t marks_left_out_ = 0;          // of the first ones
  const Message* first_turn_ = nullptr;  // behind the leading system messages
  const Message* turns_end_ = nullptr;   // where a begun answer is left out
  bool turn_open_ = false;
  uint32_t turns_count_ = 0;
  const Part* last_text_ = nullptr;  // of a begun answer: no blanks at its end
  CallSet calls_;
  CallSet allowed_;  // names of tools; empty: all
};

// Anthropic's ids are letters, digits, _ and -. Any other id becomes one of these, the same one
// wherever it stands, and two different ids stay different.
inline constexpr size_t id_length_max = 200;
size_t write_safe_id(std::string_view id, char (&out)[id_length_max + 24]);

// `schema` as structured answers take it: closed objects and no bounds, all other bytes as they
// were. `changed_meaning`: a bound was left out. False: no memory.
bool fit_schema(std::string_view schema, ByteBuffer& out, bool& changed_meaning);

// What base64 (the inside of a JSON string, checked) stands for. False: no memory.
bool decode_base64(std::string_view inside, ByteBuffer& out);

}  // namespace hyperion::dialect::anthropic
