// Judges what the gateway did with a request: whom it tried, after what, and when it gave up.
//
// The rules are those of the reliability reference, worked out from what the providers saw: within
// the plan and the bounds, nothing twice that cannot help, nothing of the client's own fault moved,
// a provider's Retry-After honoured, and never given up while somebody who always does well could
// have been asked. They look at the order of attempts, so that a request with a hedge is held to
// those only that need none.
#pragma once

#include "sim/judge.h"

namespace hyperion::sim {

// Of a request that was tried at least once. `told` may be nullptr: there is no record yet.
void judge_tries(const Asked& asked, const Got& got, const std::vector<Served>& tries,
                 const Told* told, const Court& court);

// That no answer, or an error, came of it.
void judge_failure(const Asked& asked, const Got& got, const std::vector<Served>& tries,
                   const Told* told, const Court& court);

// What followed an attempt, as a word of the coverage table: "moved", "waited", "other key",
// "hedged", "answered" or "failed".
const char* move_after(const std::vector<Served>& tries, size_t index, bool answered);
// What happened there: the name of the refusal or of the behaviour.
const char* name_of(const Served& served);

}  // namespace hyperion::sim
