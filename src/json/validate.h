// Is this text one JSON value, complete and in every corner?
//
// For short texts that were carried inside another: the arguments of tool calls, which models and
// clients write and which become part of a body of ours. (Request bodies are judged by the Scanner,
// which is made for large ones.) Strict as RFC 8259: grammar, numbers, words, escapes, control
// bytes; nesting up to `depth_max`. UTF-8 was checked with the text around. Pure, no allocation;
// about 1 ns a byte.
#pragma once

#include <string_view>

namespace hyperion::json {

inline constexpr int validate_depth_max = 64;

bool is_valid(std::string_view text);

}  // namespace hyperion::json
