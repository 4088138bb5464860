// Which model answers: the cheapest of those that can and are good enough.
//
// Smart routing looks at the same vendor's models at the same provider and takes a cheaper one only
// if it lacks nothing the request needs and its chance to be good enough is within the tolerance
// of the asked model's; in doubt it stays. Automatic routing compares all allowed candidates with
// the best of them. Costs are expected costs: input by the estimate, with the part that the
// conversation's own model has in its provider's cache at the cached price, and the output that
// requests of this kind get. The conversation's model is worked out again from its earlier turns;
// there is no state. Integers throughout, a fixed order of candidates: the same question gives the
// same decision on every shard, run and machine. Pure; about 12 ns a candidate, no allocation.
#pragma once

#include "routing/decision.h"

namespace hyperion::routing {

// Fills `decision` but for `ns`.
void decide(const Question& question, const Field& field, const Settings& settings,
            Decision& decision);

// Whether the rule applies; its model may still be unable or not allowed.
bool applies(const Rule& rule, Route route, Kind kind, uint32_t tokens);

}  // namespace hyperion::routing
