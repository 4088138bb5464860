#include "routing/ability.h"

#include "routing/logistic.h"

namespace hyperion::routing {

int32_t ability_of(const catalog::Quality& quality, const Scores& scores) {
  return product_of(eight_of(quality.logits), eight_of(scores.shares)) / share_one;
}

int32_t chance_of_model(const catalog::Quality& quality, const Scores& scores) {
  return chance_of(ability_of(quality, scores) - scores.difficulty);
}

}  // namespace hyperion::routing
