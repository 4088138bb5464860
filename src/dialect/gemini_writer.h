// Writes a canonical request as a body for Gemini.
//
// One RequestWriter for one body, on the stack of `encode_request`. What Gemini cannot be told goes
// to Notes; a refusal there ends the writing. The order of fields is fixed, tools keep theirs and
// schemas their bytes. Its functions are in gemini_request_writer.cpp (the top level, tools,
// generationConfig), gemini_thinking_writer.cpp (thinkingConfig) and gemini_contents_writer.cpp
// (turns). Where models differ, their row in the catalogue says how.
#pragma once

#include <cstdint>
#include <string_view>

#include "dialect/language.h"

namespace hyperion::dialect::gemini {

class RequestWriter {
 public:
  RequestWriter(const Request& request, const Target& target, Workspace workspace,
                json::Output& out, Notes& notes)
      : request_(request), target_(target), workspace_(workspace), out_(out), notes_(notes) {}

  bool write();
  // The body of `:countTokens`.
  bool write_count();

 private:
  enum class Turn : uint8_t { none, user, model };
  // The calls so far, the newest first.
  struct CallReference {
    const Part* call = nullptr;
    const CallReference* before = nullptr;
  };

  // A result, and the message it stands in.
  struct Result {
    const Part* part;
    const Message* message;
  };

  bool write_members();
  bool note_the_rest();
  bool write_tools();
  void write_declaration(const Tool& tool);
  bool write_tool_config();
  void write_calling_config(std::string_view mode);
  bool write_generation_config();
  bool write_sampling();
  bool write_candidates();
  bool write_detail();
  bool write_stop();
  bool write_format();
  bool write_penalties();
  bool write_service_tier();
  void open_config();
  void config_json(std::string_view name, const Json& json);

  // gemini_thinking_writer.cpp
  bool write_thinking();
  bool plan_level(std::string_view& level);
  bool plan_budget(int64_t& budget);

  // gemini_contents_writer.cpp
  bool write_contents();
  void write_system();
  bool write_turn_message(const Message& message);
  bool write_assistant(const Message& message);
  bool write_call(const Part& call);
  const Message* write_results(const Message* first);
  bool write_results_by_call(Result* results, uint32_t count, const Message* end);
  bool write_result(const Part& result, const Message& message);
  void write_response(const Part& result);
  bool write_user_part(const Part& part, const Message& message);
  bool write_media(const Part& part, const Message& message, bool as_part);
  void write_text(Raw text, Turn turn, const Part* signed_by);
  void begin_part(Turn turn);
  void end_turn();
  const Part* find_call(std::string_view id) const;
  static bool is_google_url(std::string_view url);
  bool no_memory() { return refuse_for_memory(notes_.problem); }
  // Gemini 3 and later (and models nobody knows): they answer 400 when a signature of theirs does
  // not come back, and read pictures within responses.
  bool is_recent() const {
    return target_.model == nullptr || target_.model->thinking == catalog::Thinking::level;
  }

  const Request& request_;
  const Target& target_;
  Workspace workspace_;
  json::Output& out_;
  Notes& notes_;
  bool declared_ = false;  // functions were
  bool config_open_ = false;
  Turn turn_ = Turn::none;
  bool called_ = false;                  // a call stands in the open turn of the model
  const Message* turn_begin_ = nullptr;  // the first message of the model's last turn
  const CallReference* calls_ = nullptr;
  bool low_detail_ = false;
  bool high_detail_ = false;
};

}  // namespace hyperion::dialect::gemini
