// The words of requests that the prompt reader knows: keys of all dialects and values of `type`.
//
// Used by the prompt reader alone. Spellings of the same thing in several dialects are one word, so
// that one reader serves them all. A lookup is one hash and one comparison, through a table that
// the compiler makes; it cannot fail, what is not known is `unknown`.
#pragma once

#include <cstdint>
#include <string_view>

namespace hyperion::routing {

enum class Word : uint8_t {
  unknown,
  // keys of a body
  messages,
  system,
  tools,
  tool_choice,
  function_declarations,
  answer_format,  // response_format, output_format, format
  config,         // output_config, generationConfig, text: an object with some of these inside
  schema,         // of Gemini's configuration
  mime_type,
  reasoning_effort,
  reasoning,  // {effort}
  thinking,   // {type, budget_tokens}, Gemini's thinkingConfig
  budget,
  output_tokens_max,
  max_tokens,  // the same, in the word that some of OpenAI's models refuse
  choices,
  sampling,
  modalities,
  logprobs,
  server_tool,  // web_search_options
  extra_body,
  // keys of a message and of its parts
  role,
  content,  // content, parts, output
  type,
  text,  // of a part; an object at the top of a Responses body
  tool_calls,
  function_call,
  function_response,
  inline_data,
  thought,
  // values of `type`
  text_part,
  image_part,
  audio_part,
  file_part,
  call_part,
  result_part,
  thinking_part,
  json_object,
  json_schema,
  disabled,
  function,
  custom,
  // values of tool_choice
  required,
};

Word word_of(std::string_view text);

}  // namespace hyperion::routing
