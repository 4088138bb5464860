#include "routing/words.h"

#include <array>
#include <cstddef>

namespace hyperion::routing {
namespace {

struct Spelling {
  std::string_view text;
  Word word;
};

constexpr Spelling spellings[] = {
    {"messages", Word::messages},
    {"input", Word::messages},
    {"contents", Word::messages},
    {"system", Word::system},
    {"instructions", Word::system},
    {"systemInstruction", Word::system},
    {"system_instruction", Word::system},
    {"tools", Word::tools},
    {"functions", Word::tools},
    {"tool_choice", Word::tool_choice},
    {"toolConfig", Word::tool_choice},
    {"tool_config", Word::tool_choice},
    {"functionCallingConfig", Word::tool_choice},
    {"function_calling_config", Word::tool_choice},
    {"mode", Word::type},
    {"functionDeclarations", Word::function_declarations},
    {"function_declarations", Word::function_declarations},
    {"response_format", Word::answer_format},
    {"output_format", Word::answer_format},
    {"format", Word::answer_format},
    {"output_config", Word::config},
    {"generationConfig", Word::config},
    {"generation_config", Word::config},
    {"responseSchema", Word::schema},
    {"response_schema", Word::schema},
    {"responseJsonSchema", Word::schema},
    {"response_json_schema", Word::schema},
    {"responseMimeType", Word::mime_type},
    {"response_mime_type", Word::mime_type},
    {"mimeType", Word::mime_type},
    {"mime_type", Word::mime_type},
    {"reasoning_effort", Word::reasoning_effort},
    {"effort", Word::reasoning_effort},
    {"thinkingLevel", Word::reasoning_effort},
    {"thinking_level", Word::reasoning_effort},
    {"reasoning", Word::reasoning},
    {"thinking", Word::thinking},
    {"thinkingConfig", Word::thinking},
    {"thinking_config", Word::thinking},
    {"budget_tokens", Word::budget},
    {"thinkingBudget", Word::budget},
    {"thinking_budget", Word::budget},
    {"max_tokens", Word::max_tokens},
    {"max_completion_tokens", Word::output_tokens_max},
    {"max_output_tokens", Word::output_tokens_max},
    {"maxOutputTokens", Word::output_tokens_max},
    {"n", Word::choices},
    {"candidateCount", Word::choices},
    {"candidate_count", Word::choices},
    {"temperature", Word::sampling},
    {"top_p", Word::sampling},
    {"topP", Word::sampling},
    {"modalities", Word::modalities},
    {"responseModalities", Word::modalities},
    {"response_modalities", Word::modalities},
    {"logprobs", Word::logprobs},
    {"top_logprobs", Word::logprobs},
    {"responseLogprobs", Word::logprobs},
    {"response_logprobs", Word::logprobs},
    {"web_search_options", Word::server_tool},
    {"mcp_servers", Word::server_tool},
    {"container", Word::server_tool},
    {"previous_response_id", Word::server_tool},
    {"conversation", Word::server_tool},
    {"cachedContent", Word::server_tool},
    {"cached_content", Word::server_tool},
    {"extra_body", Word::extra_body},
    {"extraBody", Word::extra_body},
    {"role", Word::role},
    {"content", Word::content},
    {"parts", Word::content},
    {"output", Word::content},
    {"type", Word::type},
    {"text", Word::text},
    {"tool_calls", Word::tool_calls},
    {"function_call", Word::function_call},
    {"functionCall", Word::function_call},
    {"functionResponse", Word::function_response},
    {"function_response", Word::function_response},
    {"inlineData", Word::inline_data},
    {"inline_data", Word::inline_data},
    {"fileData", Word::inline_data},
    {"file_data", Word::inline_data},
    {"thought", Word::thought},
    {"input_text", Word::text_part},
    {"output_text", Word::text_part},
    {"image_url", Word::image_part},
    {"image", Word::image_part},
    {"input_image", Word::image_part},
    {"input_audio", Word::audio_part},
    {"file", Word::file_part},
    {"document", Word::file_part},
    {"input_file", Word::file_part},
    {"tool_use", Word::call_part},
    {"tool_result", Word::result_part},
    {"function_call_output", Word::result_part},
    {"redacted_thinking", Word::thinking_part},
    {"json_object", Word::json_object},
    {"json_schema", Word::json_schema},
    {"disabled", Word::disabled},
    {"function", Word::function},
    {"custom", Word::custom},
    {"required", Word::required},
    {"any", Word::required},
    {"ANY", Word::required},
    {"tool", Word::required},
};
constexpr size_t spelling_count = sizeof(spellings) / sizeof(spellings[0]);

constexpr size_t slot_count = 1024;  // sparse, so that a multiplier without collisions exists
constexpr uint8_t empty = 0xFF;
static_assert(spelling_count < empty);

constexpr uint32_t hash(std::string_view text, uint32_t multiplier) {
  const size_t size = text.size();
  const uint32_t first = static_cast<unsigned char>(text[0]);
  const uint32_t middle = static_cast<unsigned char>(text[size / 2]);
  const uint32_t later = static_cast<unsigned char>(text[size * 3 / 4]);
  const uint32_t last = static_cast<unsigned char>(text[size - 1]);
  const uint32_t mixed =
      static_cast<uint32_t>(size) << 24 ^ first << 18 ^ middle << 12 ^ later << 6 ^ last;
  return mixed * multiplier >> 22;
}

struct Table {
  uint32_t multiplier = 0;
  std::array<uint8_t, slot_count> slots{};
};

// The first multiplier under which no two spellings meet, found by the compiler.
consteval Table make_table() {
  for (uint32_t multiplier = 0x9E3779B1;; multiplier += 2) {
    Table table{multiplier, {}};
    table.slots.fill(empty);
    bool good = true;
    for (size_t i = 0; i < spelling_count && good; ++i) {
      uint8_t& slot = table.slots[hash(spellings[i].text, multiplier)];
      good = slot == empty;
      slot = static_cast<uint8_t>(i);
    }
    if (good) return table;
  }
}
constexpr Table table = make_table();

}  // namespace

Word word_of(std::string_view text) {
  if (text.empty()) return Word::unknown;
  const uint8_t slot = table.slots[hash(text, table.multiplier)];
  if (slot == empty || spellings[slot].text != text) return Word::unknown;
  return spellings[slot].word;
}

}  // namespace hyperion::routing
