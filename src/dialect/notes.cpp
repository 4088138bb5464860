#include "dialect/notes.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace hyperion::dialect {
namespace {

// What cannot be translated, and what is done about it. In the order of `Feature`; a test holds the
// order, and the table of the documentation to this one.
constexpr FeatureRow rows[] = {
    {Feature::n, "n", Treatment::refuse, "only one choice can be asked for"},
    {Feature::logprobs, "logprobs", Treatment::refuse, "it gives no log probabilities"},
    {Feature::logit_bias, "logit_bias", Treatment::drop, "it has no such parameter"},
    {Feature::seed, "seed", Treatment::drop, "it has no such parameter"},
    {Feature::penalties, "presence_penalty", Treatment::drop, "it has no such parameter"},
    {Feature::top_k, "top_k", Treatment::drop, "it has no such parameter"},
    {Feature::sampling, "temperature", Treatment::drop, "this model takes no sampling parameters"},
    {Feature::temperature_range, "temperature", Treatment::adjust, "its range is smaller"},
    {Feature::stop_sequences_count, "stop", Treatment::refuse, "it takes fewer stop sequences"},
    {Feature::user, "user", Treatment::drop, "it has no such parameter"},
    {Feature::metadata, "metadata", Treatment::drop, "it has no such parameter"},
    {Feature::store, "store", Treatment::drop, "it has no such parameter"},
    {Feature::verbosity, "verbosity", Treatment::drop, "it has no such parameter"},
    {Feature::service_tier, "service_tier", Treatment::drop, "it has no such tier"},
    {Feature::audio_input, "messages", Treatment::refuse_always, "it takes no audio"},
    {Feature::audio_output, "modalities", Treatment::refuse, "it answers in text only"},
    {Feature::file_id, "messages", Treatment::refuse_always,
     "a file's id means something to the vendor that keeps the file only; send its data"},
    {Feature::file_type, "messages", Treatment::refuse_always,
     "it does not read files of this type"},
    {Feature::image_url, "messages", Treatment::refuse_always,
     "it does not fetch images from URLs; send the image as a data URL"},
    {Feature::image_type, "messages", Treatment::refuse_always,
     "it does not read images of this type"},
    {Feature::custom_tool, "tools", Treatment::refuse_always, "it has no free-text tools"},
    {Feature::server_tool, "tools", Treatment::refuse,
     "a tool that one provider runs exists there only"},
    {Feature::forced_tool_choice, "tool_choice", Treatment::adjust,
     "the model cannot be forced to call a tool"},
    {Feature::parallel_tool_calls, "parallel_tool_calls", Treatment::drop,
     "it has no such parameter"},
    {Feature::tool_strict, "tools.strict", Treatment::drop, "it has no strict tools"},
    {Feature::json_object, "response_format", Treatment::adjust,
     "it has no such format; the model is instructed instead"},
    {Feature::schema_with_tools, "response_format", Treatment::refuse,
     "this model takes tools or a schema, not both"},
    {Feature::reasoning_effort, "reasoning_effort", Treatment::adjust,
     "the model has no such effort; the nearest is taken"},
    {Feature::thinking_without_signature, "reasoning_effort", Treatment::drop,
     "the signed thinking of the last turn did not come back, so the model goes on without"},
    {Feature::prefill, "messages", Treatment::refuse,
     "this model does not go on with a begun answer; end with a user message"},
    {Feature::prediction, "prediction", Treatment::drop, "it has no such parameter"},
    {Feature::web_search, "web_search_options", Treatment::refuse, "it has no such search"},
    {Feature::safety_settings, "safetySettings", Treatment::drop, "it has no such parameter"},
    {Feature::moderation, "moderation", Treatment::drop, "it has no such parameter"},
    {Feature::message_name, "messages.name", Treatment::drop, "it knows no names of participants"},
    {Feature::image_detail, "image_url.detail", Treatment::drop, "it has no such parameter"},
    {Feature::cache_mark, "cache_control", Treatment::drop, "it caches by itself, or not at all"},
    {Feature::unknown_field, "", Treatment::drop, "it is not known"},
};
static_assert(std::size(rows) == static_cast<size_t>(Feature::count));

struct ClientsName {
  Wire client;
  std::string_view openai;
  std::string_view theirs;
};

constexpr ClientsName clients_names[] = {
    {Wire::anthropic, "stop", "stop_sequences"},
    {Wire::anthropic, "response_format", "output_config.format"},
    {Wire::gemini, "n", "generationConfig.candidateCount"},
    {Wire::gemini, "logprobs", "generationConfig.responseLogprobs"},
    {Wire::gemini, "stop", "generationConfig.stopSequences"},
    {Wire::gemini, "modalities", "generationConfig.responseModalities"},
    {Wire::gemini, "response_format", "generationConfig.responseMimeType"},
    {Wire::gemini, "tool_choice", "toolConfig.functionCallingConfig"},
    {Wire::gemini, "messages", "contents"},
    {Wire::openai_responses, "logprobs", "top_logprobs"},
    {Wire::openai_responses, "response_format", "text.format"},
    {Wire::openai_responses, "messages", "input"},
};

// The whole name in the client's words, or its first step: "messages[3].content[1]".
size_t write_clients_name(std::string_view name, Wire client, char* out, size_t capacity) {
  const size_t first = std::min(name.find('['), name.size());
  std::string_view rest = name.substr(first);
  for (const ClientsName& row : clients_names) {
    if (row.client != client || row.openai != name.substr(0, first)) continue;
    constexpr std::string_view content = "].content";
    const size_t at = client == Wire::gemini ? rest.find(content) : std::string_view::npos;
    const bool parts = at != std::string_view::npos;
    const std::string_view index = parts ? rest.substr(0, at) : rest;
    const std::string_view step = parts ? "].parts" : "";
    rest = parts ? rest.substr(at + content.size()) : std::string_view();
    const int size = std::snprintf(
        out, capacity, "%.*s%.*s%.*s%.*s", static_cast<int>(row.theirs.size()), row.theirs.data(),
        static_cast<int>(index.size()), index.data(), static_cast<int>(step.size()), step.data(),
        static_cast<int>(rest.size()), rest.data());
    return std::min(static_cast<size_t>(size), capacity - 1);
  }
  return 0;
}

void set_text(char* to, size_t capacity, std::string_view from) {
  const size_t size = std::min(from.size(), capacity - 1);
  if (size > 0) std::memcpy(to, from.data(), size);
  to[size] = '\0';
}

}  // namespace

const FeatureRow& row_of(Feature feature) { return rows[static_cast<size_t>(feature)]; }

bool refuse(RequestProblem& problem, const char* code, std::string_view param, const char* format,
            ...) {
  problem.status = 400;
  problem.code = code;
  set_text(problem.param, sizeof(problem.param), param);
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(problem.message, sizeof(problem.message), format, arguments);
  va_end(arguments);
  return false;
}

std::string_view name_of_part(char (&out)[part_name_max_bytes], uint32_t message, int64_t part) {
  const int size = part < 0 ? std::snprintf(out, sizeof(out), "messages[%u].content", message)
                            : std::snprintf(out, sizeof(out), "messages[%u].content[%lld]", message,
                                            static_cast<long long>(part));
  return {out, static_cast<size_t>(size)};
}

void name_for_client(RequestProblem& problem, Wire client) {
  char theirs[sizeof(problem.param)];
  const std::string_view name = problem.param;
  const size_t size = write_clients_name(name, client, theirs, sizeof(theirs));
  if (size == 0) return;
  char message[sizeof(problem.message)];
  std::string_view old(problem.message);
  if (old.starts_with('`') && old.substr(1).starts_with(name) &&
      old.substr(1 + name.size()).starts_with('`')) {
    std::snprintf(message, sizeof(message), "`%.*s%s", static_cast<int>(size), theirs,
                  problem.message + 1 + name.size());
    set_text(problem.message, sizeof(problem.message), message);
  }
  set_text(problem.param, sizeof(problem.param), {theirs, size});
}

bool refuse_for_memory(RequestProblem& problem) {
  problem.status = 503;
  problem.code = "overloaded";
  problem.param[0] = '\0';
  set_text(problem.message, sizeof(problem.message),
           "No memory is free to translate a request of this size. Try again.");
  return false;
}

bool Notes::cannot(Feature feature, std::string_view param) {
  const FeatureRow& row = row_of(feature);
  if (param.empty()) param = row.param;
  Treatment treatment = row.treatment;
  const bool lenient = settings_.unsupported == Unsupported::drop;
  if (treatment == Treatment::refuse && lenient) treatment = Treatment::drop;
  if (treatment == Treatment::drop) {
    drop(param);
    return true;
  }
  if (treatment == Treatment::adjust) {
    adjust(param);
    return true;
  }
  return refuse(problem, "unsupported_parameter", param, "`%.*s` is not supported by %.*s: %s.",
                static_cast<int>(param.size()), param.data(), static_cast<int>(provider_.size()),
                provider_.data(), row.reason);
}

void Notes::add(char (&names)[names_max_bytes], size_t& size, std::string_view name) {
  constexpr std::string_view rest = ", ...";
  std::string_view all(names, size);
  // Each name once.
  for (size_t at = 0; at < all.size();) {
    const size_t end = std::min(all.find(", ", at), all.size());
    if (all.substr(at, end - at) == name) return;
    at = end + 2;
  }
  if (all.ends_with(rest)) return;
  const std::string_view separator = size == 0 ? "" : ", ";
  if (size + separator.size() + name.size() + rest.size() > names_max_bytes) {
    size += rest.copy(names + size, rest.size());
    return;
  }
  size += separator.copy(names + size, separator.size());
  // A client's own field may hold anything.
  for (char c : name) names[size++] = c > ' ' && c < 0x7F && c != ',' ? c : '?';
}

}  // namespace hyperion::dialect
