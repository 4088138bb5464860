// What a translation had to leave out, change or refuse.
//
// An encoder asks for everything that its dialect cannot say; the answer is one row of the table in
// notes.cpp (feature, parameter, treatment) under the conf's `[translation] unsupported`: `strict`
// refuses what would change the answer's shape or meaning, `drop` leaves it out. Whatever is left
// out is named in x-hyperion-dropped-params, whatever is changed in x-hyperion-adjusted. Bounded;
// no allocation; names only, never values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/settings.h"
#include "dialect/wire.h"

namespace hyperion::dialect {

// A refusal of the client's request, in the words for it. The gateway makes an answer of it.
struct RequestProblem {
  uint16_t status = 0;         // 0: none
  const char* code = nullptr;  // "invalid_request", "unsupported_parameter"
  char param[96] = {};         // "messages[2].content[0].image_url"
  char message[300] = {};      // says what was expected and what was given

  explicit operator bool() const { return status != 0; }
};

// printf-like; `param` is cut to fit. Always returns false, for `return refuse(...)`.
bool refuse(RequestProblem& problem, const char* code, std::string_view param, const char* format,
            ...) __attribute__((format(printf, 4, 5)));
// No room in the arena or the output: 503.
bool refuse_for_memory(RequestProblem& problem);

// Encoders name a request's fields in OpenAI's words: a part is "messages[3].content[1]", and
// without an index "messages[3].content" (the inside of a tool's result).
inline constexpr size_t part_name_max_bytes = 64;
std::string_view name_of_part(char (&out)[part_name_max_bytes], uint32_t message, int64_t part);
// Puts the name that an encoder gave into the words of the client's dialect, in `param` and where
// the message quotes it: "stop" is Gemini's "generationConfig.stopSequences".
void name_for_client(RequestProblem& problem, Wire client);

enum class Feature : uint8_t {
  n,
  logprobs,
  logit_bias,
  seed,
  penalties,
  top_k,
  sampling,           // temperature or top_p, for a model that takes none
  temperature_range,  // clamped
  stop_sequences_count,
  user,
  metadata,
  store,
  verbosity,
  service_tier,
  audio_input,
  audio_output,
  file_id,
  file_type,  // a document of a type the target does not read
  image_url,  // a public URL where the target reads only data
  image_type,
  custom_tool,
  server_tool,
  forced_tool_choice,  // the model refuses it: becomes auto
  parallel_tool_calls,
  tool_strict,
  json_object,  // asked for by instruction
  schema_with_tools,
  reasoning_effort,            // clamped to the nearest, or the model has none
  thinking_without_signature,  // thinking is switched off: its blocks did not come back
  prefill,
  prediction,
  web_search,
  safety_settings,
  moderation,
  message_name,
  image_detail,
  cache_mark,
  unknown_field,
  count,
};

enum class Treatment : uint8_t {
  refuse,         // 400 unsupported_parameter; dropped under `drop`
  refuse_always,  // leaving it out would answer another question
  drop,           // a hint: left out and named
  adjust,         // sent with another value, and named
};

struct FeatureRow {
  Feature feature;
  const char* param;  // the client's field, in OpenAI's words
  Treatment treatment;
  const char* reason;  // reads on after "`n` is not supported by <provider>: "
};
// The row of a feature; static.
const FeatureRow& row_of(Feature feature);

class Notes {
 public:
  explicit Notes(const TranslationSettings& settings, std::string_view provider = {})
      : settings_(settings), provider_(provider) {}

  // The target cannot express `feature`. True: go on without it (or with the adjusted value), it is
  // noted; false: the request is refused, `problem` says why. `param` overrides the row's.
  bool cannot(Feature feature, std::string_view param = {});
  // Notes that a field with no counterpart is left out.
  void drop(std::string_view name) { add(dropped_, dropped_size_, name); }
  void adjust(std::string_view name) { add(adjusted_, adjusted_size_, name); }

  std::string_view dropped() const { return {dropped_, dropped_size_}; }     // "seed, user"
  std::string_view adjusted() const { return {adjusted_, adjusted_size_}; }  // "temperature"
  RequestProblem problem;

 private:
  static constexpr size_t names_max_bytes = 400;
  // Each name once; a last "..." when there is no more room.
  static void add(char (&names)[names_max_bytes], size_t& size, std::string_view name);

  const TranslationSettings& settings_;
  std::string_view provider_;
  size_t dropped_size_ = 0;
  size_t adjusted_size_ = 0;
  char dropped_[names_max_bytes];
  char adjusted_[names_max_bytes];
};

}  // namespace hyperion::dialect
