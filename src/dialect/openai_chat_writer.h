// Writes a canonical request as an OpenAI-shaped provider wants it.
//
// One RequestWriter for one body, on the stack of `encode_request`. What differs between providers
// and models is read from their rows (Target); what cannot be said is asked of Notes. The order of
// members is fixed, tools keep theirs, schemas and arguments are copied byte for byte, so that a
// provider's cache sees the same text again. Its functions are in openai_chat_request_writer.cpp
// (the top level, tools, reasoning), openai_chat_message_writer.cpp (messages) and
// openai_chat_part_writer.cpp (their parts). False from any
// of them: refused, see Notes; a full output is noticed once, at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/language.h"

namespace hyperion::dialect::openai_chat {

class RequestWriter {
 public:
  RequestWriter(const Request& request, const Target& target, json::Output& out, Notes& notes)
      : request_(request), target_(target), out_(out), notes_(notes) {}

  bool write();

 private:
  // openai_chat_request_writer.cpp
  bool write_limits();
  bool write_sampling();
  bool write_hints();
  bool write_format();
  bool write_tools();
  void write_tool(const Tool& tool);
  bool write_tool_choice();
  bool is_allowed(const Tool& tool) const;
  bool write_effort();
  // The effort to ask for. False: nothing is said about it.
  bool effort_wanted(catalog::Effort& effort);
  bool refuse_unsayable();

  // openai_chat_message_writer.cpp
  bool write_messages();
  bool write_message(const Message& message);
  bool write_assistant(const Message& message);
  bool write_result(const Part& result);
  // Images and files in results of tools, which take text only: in a message of the user behind
  // them. `first` up to `end` are the messages of one turn.
  bool write_moved(const Message* first, const Message* end);
  void write_head(std::string_view role, const Message& message);
  bool write_content(const Chain<Part>& parts, Role role);
  bool write_parts(const Chain<Part>& parts);
  void write_text(const Chain<Part>& parts, std::string_view separator);
  void write_reasoning(const Message& message);
  void write_tool_call(const Part& call);
  void write_call_id(std::string_view id, uint32_t& without_id);
  bool needs_word_json() const;
  bool is_prefill(const Message& message) const;

  // openai_chat_part_writer.cpp
  bool write_part(const Part& part);
  bool write_image(const Part& part);
  bool write_file(const Part& part);
  bool write_audio(const Part& part);
  void write_mark(CacheMark mark);
  bool cannot_part(Feature feature, const Part& part);

  const Request& request_;
  const Target& target_;
  json::Output& out_;
  Notes& notes_;
  // Where the writing is in the client's messages, for refusals; `in_result_`: inside of a result.
  uint32_t message_index_ = 0;
  bool in_result_ = false;
  bool tools_written_ = false;
  bool has_effort_ = false;
  catalog::Effort effort_ = catalog::Effort::none;
  // Calls and results without an id belong together in their order.
  uint32_t calls_without_id_ = 0;
  uint32_t results_without_id_ = 0;
};

// The effort for which a model would be given so many tokens to think with: -2 as many as it
// likes, 0 none. Google's steps for its own OpenAI layer.
catalog::Effort effort_of_budget(int64_t tokens);

}  // namespace hyperion::dialect::openai_chat
