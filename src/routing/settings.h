// What an operator may set of routing: [routing] and [[routing.rules]] of the conf.
//
// Filled by `config`, read by the roster and the selection. Shares and chances are fixed-point
// integers here (the conf has decimal fractions), because decisions are to be the same bits
// everywhere. The defaults are the conf's, line by line. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "catalog/model.h"
#include "routing/kinds.h"

namespace hyperion::routing {

enum class Tier : uint8_t { cheap_fast = 1, balanced = 2, high_reasoning = 3 };

enum class Route : uint8_t { passthrough, smart, automatic };

// One of [[routing.rules]]: all that is given must hold. The first rule that does is applied, to
// smart and auto only.
struct Rule {
  std::string name;
  uint16_t kinds = 0;             // bits by Kind, any of them; 0: every kind
  std::vector<std::string> keys;  // ids of virtual keys, any of them; empty: every key
  std::map<std::string, std::string, std::less<>> tags;  // of hyperion.tags, each one
  uint32_t tokens_min = 0;                               // of the estimated input
  uint32_t tokens_max = UINT32_MAX;
  uint8_t routes = for_smart | for_auto;
  // What then, one of the two: a model, or a tier (0: none).
  std::string model;
  uint8_t tier = 0;
  const catalog::Deployment* deployment = nullptr;  // what `model` stands for, set at load

  static constexpr uint8_t for_smart = 1;
  static constexpr uint8_t for_auto = 2;
};

struct Settings {
  // How much of the chance to be good enough may be given for money, of chance_one.
  int32_t smart_tolerance = 300;
  int32_t auto_tolerance = 300;
  // Scores from which a prompt is of the second and third tier, of score_one.
  int32_t balanced_from_score = 350;
  int32_t high_reasoning_from_score = 600;
  // By how much the score that counts may fall from one turn of a conversation to the next.
  int32_t score_fall_per_turn = 100;
  // What the conversation's model may lack before another takes over, beside the tolerance.
  int32_t hysteresis = 100;
  // From this share of a used budget on (of 1000) the tolerance grows, up to this at the limit.
  int32_t pressure_from = 800;
  int32_t pressure_tolerance = 1000;
  // How much later a pick's first token may lately have come than the asked model's.
  uint32_t slower_percent = 50;
  // Prefixes below this many tokens are not in a provider's cache (OpenAI's and Anthropic's
  // documentation: 1,024).
  uint32_t cached_prefix_tokens_min = 1024;
  // Whether preview and deprecated models may be chosen.
  bool previews = false;
  std::string weights_file;      // empty: those built in
  std::string calibration_file;  // as `hyperion feedback` writes it; empty: none
  uint32_t decisions_kept = 64;
  std::vector<Rule> rules;
};

}  // namespace hyperion::routing
