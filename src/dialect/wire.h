// The wire formats Hyperion speaks, at either side.
//
// A provider's row in the catalogue says which of OpenAI, Anthropic and Gemini it speaks; the route
// a client calls says which it speaks. OpenAI has two: Chat Completions and Responses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hyperion::dialect {

enum class Wire : uint8_t { openai_chat, openai_responses, anthropic, gemini };
inline constexpr size_t wires_count = 4;

std::string_view name_of(Wire wire);

// Who made an opaque signature of reasoning, and alone may get it back.
enum class Maker : uint8_t { unknown, openai, anthropic, gemini };

}  // namespace hyperion::dialect
