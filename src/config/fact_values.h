// Prices, capabilities and qualities of models as the conf writes them: the part of
// config/values.cpp that knows the catalogue's facts.
//
// Each function writes what `value` says to its target, or leaves a sentence in `problem` and
// returns false. Called by `assign` (config/keys.h) alone. No files, no I/O.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/model.h"
#include "config/document.h"

namespace hyperion::config {

// US dollars per million tokens, exact to a pico-dollar per token.
bool assign_price(int64_t& pico_usd, const Value& value, std::string& problem);

// [{ above_tokens = 200_000, input_usd_per_million = 4, … }, …], rising.
bool assign_price_tiers(std::vector<catalog::PriceTier>& tiers, const Value& value,
                        std::string& problem);

// ["vision", "tools"]: each of these gets `answer`, the others stay as they are.
bool assign_capabilities(catalog::Capabilities& capabilities, catalog::Answer answer,
                         const Value& value, std::string& problem);

// { knowledge = 0.86, code = 0.7, … }: all heads, each a share from 0.001 to 0.999. {}: unknown.
bool assign_quality(catalog::Quality& quality, const Value& value, std::string& problem);

// The names of the capabilities whose fact is `answer`, as a TOML list.
std::string text_of_capabilities(const catalog::Capabilities& capabilities, catalog::Answer answer);

// { openrouter = "anthropic/claude-opus-5" }
bool assign_platform_ids(catalog::PlatformIds& ids, const Value& value, std::string& problem);

}  // namespace hyperion::config
