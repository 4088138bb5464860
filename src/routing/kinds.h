// The kinds of requests, by structure and not by topic, with their names.
//
// A request's kind is reported as `class` in decisions, and operators' rules match on it. The order
// is that of the contract.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "catalog/quality.h"

namespace hyperion::routing {

using catalog::Head;
using catalog::head_count;
using catalog::logit_one;

enum class Kind : uint8_t {
  tool_use,      // carries tools, or asks to call one
  long_context,  // thousands of tokens, most of them quoted, and a question
  code,          // to write, fix, explain or run code
  math,          // an answer by calculation or proof
  reasoning,     // several dependent steps, a puzzle, a plan
  knowledge,     // an expert's question
  transform,     // rewrite, translate, summarise, extract, classify
  writing,       // a new text, ideas
  simple_qa,     // one fact, one or two lines
  chat,          // small talk, role play, a one-line order
  count,
};
inline constexpr size_t kind_count = static_cast<size_t>(Kind::count);

std::string_view name_of(Kind kind);
std::string_view name_of(Head head);
// Kind::count when there is none of that name.
Kind kind_named(std::string_view name);

}  // namespace hyperion::routing
