#include "dialect/openai_chat_reader.h"

namespace hyperion::dialect::openai_chat {
namespace {

constexpr const char* expected_efforts = "one of none, minimal, low, medium, high, xhigh and max";

bool effort_of(std::string_view name, catalog::Effort& effort) {
  for (uint8_t i = 0; i < static_cast<uint8_t>(catalog::Effort::count); ++i) {
    effort = static_cast<catalog::Effort>(i);
    if (catalog::name_of(effort) == name) return true;
  }
  return false;
}

}  // namespace

bool RequestReader::read_reasoning_effort(Cursor& cursor, const Place& place) {
  std::string_view name;
  if (!read_plain(cursor, place, name)) return false;
  if (name.data() == nullptr) return true;
  if (!effort_of(name, request_.effort)) return expected(place, expected_efforts);
  request_.effort_given = true;
  return true;
}

// OpenRouter's: {"effort": ..} or {"max_tokens": ..}, and {"exclude": true} to keep it away.
bool RequestReader::read_reasoning(Cursor& cursor, const Place& place) {
  bool given = false;
  if (!enter_object(cursor, place, given)) return false;
  if (!given) return true;
  Flag enabled = Flag::unset;
  std::string_view key;
  while (cursor.next_key(key)) {
    const Place at = place.member(key);
    bool right = true;
    if (key == "effort") {
      right = read_reasoning_effort(cursor, at);
    } else if (key == "max_tokens") {
      right = read_count(cursor, at, 0, tokens_max, request_.thinking_budget_tokens);
    } else if (key == "exclude") {
      Flag exclude = Flag::unset;
      right = read_flag(cursor, at, exclude);
      if (exclude != Flag::unset) request_.thinking_shown = flag_of(exclude == Flag::no);
    } else if (key == "enabled") {
      right = read_flag(cursor, at, enabled);
    } else {
      cursor.skip();
    }
    if (!right) return false;
  }
  if (enabled == Flag::no) request_.thinking_budget_tokens = 0;
  const bool silent = !request_.effort_given && request_.thinking_budget_tokens == -1;
  if (enabled == Flag::yes && silent) request_.thinking_budget_tokens = -2;
  return true;
}

bool RequestReader::read_include_reasoning(Cursor& cursor, const Place& place) {
  return read_flag(cursor, place, request_.thinking_shown);
}

// Anthropic's, as LiteLLM's clients send it: {"type": "enabled", "budget_tokens": 2048}.
bool RequestReader::read_thinking(Cursor& cursor, const Place& place) {
  bool given = false;
  if (!enter_object(cursor, place, given)) return false;
  if (!given) return true;
  std::string_view type;
  std::string_view display;
  int64_t budget = -2;
  std::string_view key;
  while (cursor.next_key(key)) {
    const Place at = place.member(key);
    bool right = true;
    if (key == "type") {
      right = read_plain(cursor, at, type);
    } else if (key == "budget_tokens") {
      right = read_count(cursor, at, 0, tokens_max, budget);
    } else if (key == "display") {
      right = read_plain(cursor, at, display);
    } else {
      cursor.skip();
    }
    if (!right) return false;
  }
  if (type == "disabled") {
    budget = 0;
  } else if (type == "adaptive") {
    budget = -2;
  } else if (type != "enabled") {
    return expected(place.member("type"), "one of enabled, adaptive and disabled");
  }
  request_.thinking_budget_tokens = budget;
  if (!display.empty()) request_.thinking_shown = flag_of(display != "omitted");
  return true;
}

bool RequestReader::read_thinking_budget(Cursor& cursor, const Place& place) {
  return read_count(cursor, place, 0, tokens_max, request_.thinking_budget_tokens);
}

}  // namespace hyperion::dialect::openai_chat
