// Writes the conversation of a canonical request as the `input` of a Responses request.
//
// Used by openai_responses_request_writer.cpp alone. Parts of an assistant's turn become items of
// their own: reasoning (only what OpenAI signed), messages, function calls. False: the notes hold a
// refusal. Deterministic; no memory of its own.
#pragma once

#include "dialect/language.h"

namespace hyperion::dialect::openai_responses {

class ItemWriter {
 public:
  ItemWriter(const Target& target, json::Output& out, Notes& notes)
      : target_(target), out_(out), notes_(notes) {}

  bool write(const Request& request);

 private:
  bool write_message(const Message& message);
  bool write_assistant(const Message& message);
  bool write_result(const Part& result);
  bool write_result_parts(const Part& result);
  void write_call(const Part& call);
  void write_reasoning(const Part& thinking);
  void write_id(const Part& part);
  void begin_message(const char* role);
  void end_message();
  // A part of a user's message or of a result.
  bool write_part(const Part& part);
  bool write_image(const Part& part);
  bool write_file(const Part& part);
  bool write_audio(const Part& part);
  void write_text(const char* type, Raw text);
  void write_data_url(const Part& part);
  // Of what was noted: the part is left out.
  bool cannot(Feature feature, const Part& part);

  const Target& target_;
  json::Output& out_;
  Notes& notes_;
  // Where the writing is in the client's messages, for refusals; `in_result_`: inside of a result.
  uint32_t message_index_ = 0;
  bool in_result_ = false;
};

}  // namespace hyperion::dialect::openai_responses
