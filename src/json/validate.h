// Is this text one JSON value, complete and in every corner?
//
// For short texts: a provider's events and answers, and the arguments of tool calls, which models
// and clients write; of both, strings become part of a body of ours. (Request bodies are judged by
// the Scanner, which is made for large ones.) Strict as RFC 8259: grammar, numbers, words, escapes,
// control bytes, UTF-8; nesting up to `depth_max`. Pure, no allocation, one pass; about 0.4 ns a
// byte.
#pragma once

#include <string_view>

namespace hyperion::json {

inline constexpr int validate_depth_max = 64;

bool is_valid(std::string_view text);

}  // namespace hyperion::json
