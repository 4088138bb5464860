#include "routing/logged_decision.h"

#include <algorithm>
#include <utility>

#include "json/cursor.h"
#include "json/escapes.h"
#include "routing/decision_text.h"
#include "routing/features.h"

namespace hyperion::routing {
namespace {

using json::Cursor;

bool read_text(Cursor& cursor, std::string& text) {
  if (cursor.peek() != '"') {
    text.clear();
    return cursor.skip();
  }
  std::string_view raw;
  if (!cursor.read_string(raw)) return false;
  text.assign(raw);
  text.resize(json::unescape(text, text.data(), text.size()));
  return true;
}

// False: not a number that fits.
template <class Number>
bool fit(int64_t number, Number& target) {
  target = static_cast<Number>(number);
  return std::in_range<Number>(number);
}

template <class Number>
bool read_number(Cursor& cursor, Number& target) {
  int64_t number = 0;
  return cursor.read_integer(number) && fit(number, target);
}

bool read_numbers(Cursor& cursor, std::vector<int64_t>& numbers) {
  numbers.clear();
  if (!cursor.enter_array()) return false;
  while (cursor.next_element()) {
    if (!cursor.read_integer(numbers.emplace_back())) return false;
  }
  return !cursor.failed();
}

bool read_texts(Cursor& cursor, std::vector<std::string>& texts) {
  if (!cursor.enter_array()) return false;
  while (cursor.next_element()) {
    if (!read_text(cursor, texts.emplace_back())) return false;
  }
  return !cursor.failed();
}

// The shares, the difficulty, the kind, unknown, the tokens in front.
bool read_turns(Cursor& cursor, Question& question) {
  std::vector<int64_t> numbers;
  question.turn_count = 0;
  if (!cursor.enter_array()) return false;
  while (cursor.next_element()) {
    if (question.turn_count == Question::turns_max) return false;
    if (!read_numbers(cursor, numbers) || numbers.size() != head_count + 4) return false;
    Turn& turn = question.turns[question.turn_count++];
    for (size_t i = 0; i < head_count; ++i) {
      if (!fit(numbers[i], turn.scores.shares[i])) return false;
    }
    if (!fit(numbers[head_count], turn.scores.difficulty)) return false;
    turn.scores.score = score_of(turn.scores.difficulty);
    const int64_t kind = numbers[head_count + 1];
    if (kind < 0 || kind >= static_cast<int64_t>(kind_count)) return false;
    turn.scores.kind = static_cast<Kind>(kind);
    turn.scores.unknown = numbers[head_count + 2] != 0;
    if (!fit(numbers[head_count + 3], turn.tokens_before)) return false;
  }
  return !cursor.failed() && question.turn_count > 0;
}

bool read_wants(Cursor& cursor, Demands& demands) {
  Wants& wants = demands.wants;
  const std::pair<std::string_view, bool*> flags[] = {
      {"tools_forced", &wants.tools_forced},
      {"json_object", &wants.json_object},
      {"json_schema", &wants.json_schema},
      {"sampling", &wants.sampling},
      {"reasoning", &wants.reasoning},
      {"audio_out", &wants.audio_out},
      {"logprobs", &wants.logprobs},
      {"foreign", &wants.foreign},
      {"prefill", &wants.prefill},
      {"old_limit", &wants.old_limit},
      {"images", &demands.images},
      {"audio", &demands.audio},
      {"files", &demands.files},
  };
  if (!cursor.enter_object()) return false;
  std::string text;
  for (std::string_view key; cursor.next_key(key);) {
    const auto flag = std::find_if(std::begin(flags), std::end(flags),
                                   [&](const auto& each) { return each.first == key; });
    if (flag != std::end(flags)) {
      *flag->second = cursor.peek() == 't';
      cursor.skip();
    } else if (key == "tools") {
      if (!read_number(cursor, wants.tools)) return false;
    } else if (key == "effort") {
      if (!read_text(cursor, text)) return false;
      for (uint8_t i = 0; i < static_cast<uint8_t>(catalog::Effort::count); ++i) {
        if (catalog::name_of(static_cast<catalog::Effort>(i)) != text) continue;
        wants.effort_given = true;
        wants.effort = static_cast<catalog::Effort>(i);
      }
    } else if (key == "output_tokens_max") {
      if (!cursor.read_integer(wants.output_tokens_max)) return false;
    } else if (key == "choices") {
      if (!cursor.read_integer(wants.choices)) return false;
    } else {
      cursor.skip();
    }
  }
  return !cursor.failed();
}

bool read_live(Cursor& cursor, LoggedDecision& decision) {
  if (!cursor.enter_object()) return false;
  for (std::string_view key; cursor.next_key(key);) {
    auto& [name, value] = decision.live.emplace_back();
    name.assign(key);
    name.resize(json::unescape(name, name.data(), name.size()));
    if (!cursor.read_integer(value)) return false;
  }
  return !cursor.failed();
}

bool read_traits(Cursor& cursor, TraitRow& traits) {
  std::vector<int64_t> numbers;
  if (!read_numbers(cursor, numbers) || numbers.size() > traits.values.size()) return false;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (!fit(numbers[i], traits.values[i])) return false;
  }
  return true;
}

bool read_member(Cursor& cursor, std::string_view key, LoggedDecision& decision) {
  Question& question = decision.question;
  std::string text;
  const auto integer = [&](auto& target) { return read_number(cursor, target); };
  if (key == "route") {
    if (!read_text(cursor, text)) return false;
    question.route = text == name_of(Route::automatic) ? Route::automatic : Route::smart;
    return text == name_of(question.route);
  }
  if (key == "asked") return read_text(cursor, decision.asked);
  if (key == "chosen") return read_text(cursor, decision.chosen);
  if (key == "rule") return read_text(cursor, decision.rule);
  if (key == "tier") return integer(decision.tier);
  if (key == "saved_nano_usd") return integer(decision.saved_nano_usd);
  if (key == "tokens") {
    const bool read = integer(question.tokens_estimated);
    question.demands.input_tokens_expected = question.tokens_estimated;
    return read;
  }
  if (key == "tokens_most") return integer(question.demands.input_tokens_max);
  if (key == "max_cost_nano_usd") return integer(question.max_cost_nano_usd);
  if (key == "pressure") return integer(question.pressure);
  if (key == "calibrated") return integer(question.calibrated);
  if (key == "turns") return read_turns(cursor, question);
  if (key == "wants") return read_wants(cursor, question.demands);
  if (key == "traits") return read_traits(cursor, question.traits);
  if (key == "live") return read_live(cursor, decision);
  if (key == "providers") {
    decision.narrowed = true;
    return read_texts(cursor, decision.providers);
  }
  if (key == "unusable") return read_texts(cursor, decision.unusable);
  if (key == "stamps") {
    std::vector<std::string> stamps;
    if (!read_texts(cursor, stamps) || stamps.size() != 3) return false;
    decision.config_stamp = stamps[0];
    decision.catalog_stamp = stamps[1];
    decision.weights_stamp = stamps[2];
    return true;
  }
  return cursor.skip();
}

}  // namespace

bool read_logged(std::string_view json, LoggedDecision& decision) {
  decision = {};
  Cursor cursor(json);
  if (!cursor.enter_object()) return false;
  for (std::string_view key; cursor.next_key(key);) {
    if (!read_member(cursor, key, decision)) return false;
  }
  return !cursor.failed() && decision.question.turn_count > 0;
}

}  // namespace hyperion::routing
