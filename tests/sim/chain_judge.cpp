#include "sim/chain_judge.h"

#include <algorithm>
#include <charconv>

#include "sim/violation.h"

namespace hyperion::sim {
namespace {

using dialect::ErrorKind;

// The longest wait before the deadline that is not begun any more.
constexpr uint64_t wait_max_ms = 2'000;

const dialect::ErrorTraits& traits_of(const Served& served) {
  return dialect::traits_of(served.kind());
}

int should_retry(const Served& served) {
  return served.refusal != nullptr ? served.refusal->should_retry : 0;
}

// It was the client's own fault, and the gateway knows.
bool ends_it(const Served& served) {
  return served.seen_whole() && traits_of(served).client_fault && !traits_of(served).moves_on &&
         should_retry(served) <= 0;
}

bool refuses_key(const Served& served) {
  const bool told = served.answer_seen || served.seen_whole();
  return told && traits_of(served).key_fault && served.kind() != ErrorKind::rate_limit;
}

// Another attempt at the same place cannot help, or was forbidden.
bool closes_place(const Served& served) {
  if (stalls(served.behaviour)) return !served.cut;
  if (!served.seen_whole() || served.kind() == ErrorKind::none || refuses_key(served)) return false;
  if (should_retry(served) != 0) return should_retry(served) < 0;
  return !traits_of(served).retryable || served.kind() == ErrorKind::timeout;
}

// Whether its outcome, and so its cost, stays unknown.
bool may_be_billed(const Served& served) {
  return stalls(served.behaviour) || served.kind() == ErrorKind::timeout || !served.finished;
}

bool is_dear(const catalog::Deployment& deployment) { return deployment.model->id == "sim-b"; }

const char* id_of(const Served& served) { return served.deployment->id.c_str(); }

void judge_pair(const Asked& asked, const Served& before, const Served& after) {
  const bool same = before.deployment == after.deployment;
  if (ends_it(before))
    note_violation("client's fault (%s at %s) moved to %s", name_of(before), id_of(before),
                   id_of(after));
  if (before.kind() == ErrorKind::context_too_long && before.seen_whole() &&
      after.deployment->model->context_tokens <= before.deployment->model->context_tokens) {
    note_violation("too long for %s, moved to %s", id_of(before), id_of(after));
  }
  if (same && before.key == after.key && refuses_key(before))
    note_violation("a key that was refused (%s) is used again", name_of(before));
  if (same && closes_place(before))
    note_violation("%s is tried again after %s", id_of(before), name_of(before));
  const int64_t asked_ms = before.refusal != nullptr ? before.refusal->retry_after_ms : -1;
  if (same && before.key == after.key && asked_ms > 0 && before.seen_whole() &&
      after.begun_ns < before.finished_ns + static_cast<uint64_t>(asked_ms) * ns_per_ms) {
    note_violation("Retry-After of %s was not kept (%s)", id_of(before), name_of(before));
  }
  if (is_good(before.behaviour) && before.kind() == ErrorKind::none && before.seen_whole() &&
      !before.behind_surplus && asked.timeout == nullptr) {
    note_violation("tried again after a good answer (%s)", name_of(before));
  }
}

// What is tried again on a fresh connection, at once and beside the chain, was lost before a byte
// of its answer had come.
void judge_fresh(const std::vector<Served>& tries, const Told& told) {
  if (told.end_code[0] == 'G') return;  // refused by ourselves on the way
  const uint32_t noted = told.failures + (told.gave_up.empty() ? 1 : 0);
  if (told.attempts < noted || told.attempts > 2 * noted)
    note_violation("%u attempts, %u of them in the chain: %s, %s", told.attempts, noted,
                   told.tried.c_str(), told.end_code);
  if (told.attempts == noted || tries.size() != told.attempts) return;
  const auto unseen = [](const Served& served) { return served.over && !served.answer_seen; };
  if (std::none_of(tries.begin(), tries.end() - 1, unseen))
    note_violation("tried again on a fresh connection although its answer had begun");
}

void judge_count(const Asked& asked, const Got& got, const std::vector<Served>& tries,
                 const Told* told, const Court& court) {
  if (told == nullptr) return;
  size_t most = attempts_bound(court.config, asked) + (told->hedged ? 1 : 0);
  most *= 2;  // each may be made on a fresh connection
  if (told->attempts > most || tries.size() > most)
    note_violation("%u attempts told, %zu seen, %zu allowed", told->attempts, tries.size(), most);
  const size_t in_chain = told->failures + (told->gave_up.empty() ? 1 : 0);
  if (in_chain > most / 2)
    note_violation("%zu attempts in the chain, %zu allowed", in_chain, most / 2);
  if (tries.size() > told->attempts)
    note_violation("%zu attempts seen, %u told", tries.size(), told->attempts);
  uint32_t header = told->attempts;
  std::from_chars(got.attempts.data(), got.attempts.data() + got.attempts.size(), header);
  if (header != told->attempts)
    note_violation("%u attempts in the header, %u in the record", header, told->attempts);
  if (!told->hedged) judge_fresh(tries, *told);
  // Where no connection was lost and nobody is impatient, a provider saw every one.
  const bool calm =
      court.book.losses == 0 && asked.timeout == nullptr && !told->hedged && !court.climate.starves;
  if (calm && told->attempts != tries.size())
    note_violation("%u attempts told, %zu seen", told->attempts, tries.size());
}

// Somebody of the plan who always does well, and whom nothing keeps out.
const catalog::Deployment* left_over(const Asked& asked, const std::vector<Served>& tries,
                                     const Court& court) {
  uint32_t window_min = 0;
  for (const Served& served : tries) {
    const bool too_long = served.kind() == ErrorKind::context_too_long;
    if (too_long) window_min = std::max(window_min, served.deployment->model->context_tokens);
    if (traits_of(served).client_fault && !too_long) return nullptr;
    if (asked.cost == Cost::modest && may_be_billed(served)) return nullptr;
  }
  for (const catalog::Deployment* deployment : plan_of(court.config, asked)) {
    const bool healthy = court.climate.is_healthy(deployment->provider->index, asked.sent_ns);
    const bool dear = asked.cost == Cost::modest && is_dear(*deployment);
    if (healthy && !dear && deployment->model->context_tokens > window_min) return deployment;
  }
  return nullptr;
}

}  // namespace

void judge_tries(const Asked& asked, const Got& got, const std::vector<Served>& tries,
                 const Told* told, const Court& court) {
  const Deployments plan = plan_of(court.config, asked);
  for (const Served& served : tries) {
    if (std::find(plan.begin(), plan.end(), served.deployment) == plan.end())
      note_violation("%s is not in the plan of a request for %s", id_of(served),
                     asked.model.c_str());
    if (asked.cost == Cost::tiny || (asked.cost == Cost::modest && is_dear(*served.deployment)))
      note_violation("%s costs more than the request may", id_of(served));
    if (got.whole && !served.over && served.finished_ns == 0)
      note_violation("an attempt goes on after the answer (%s)", name_of(served));
  }
  judge_count(asked, got, tries, told, court);
  if (told == nullptr || told->hedged) return;
  for (size_t i = 0; i < tries.size(); ++i) {
    for (size_t k = i + 1; k < tries.size(); ++k) judge_pair(asked, tries[i], tries[k]);
  }
}

void judge_failure(const Asked& asked, const Got& got, const std::vector<Served>& tries,
                   const Told* told, const Court& court) {
  if (told == nullptr || court.climate.starves || asked.timeout != nullptr) return;
  if (asked.cost == Cost::tiny || got.body.find("concurrent_requests_max") != got.body.npos) return;
  const bool in_time =
      told->gave_up != "time" || told->lasted_ns < (total_ms - wait_max_ms - 100) * ns_per_ms;
  const catalog::Deployment* healthy = left_over(asked, tries, court);
  if (in_time && healthy != nullptr) {
    note_violation("gave up (%s, %u: %.60s) with %s left over; tried: %s; left out: %s",
                   told->gave_up.c_str(), got.status, std::string(got.body).c_str(),
                   healthy->id.c_str(), told->tried.c_str(), told->skipped.c_str());
  }
  if (!tries.empty() && !told->hedged && ends_it(tries.back()) &&
      got.body.find("all_upstreams_failed") != got.body.npos) {
    note_violation("a client's fault (%s) was not told", name_of(tries.back()));
  }
}

const char* move_after(const std::vector<Served>& tries, size_t index, bool answered) {
  if (index + 1 == tries.size()) return answered ? "answered" : "failed";
  const Served& here = tries[index];
  const Served& next = tries[index + 1];
  // Both ran at once.
  if (here.finished_ns == 0 && !here.over) return "hedged";
  if (here.deployment != next.deployment) return "moved";
  return here.key != next.key ? "other key" : "waited";
}

const char* name_of(const Served& served) {
  return served.refusal != nullptr ? served.refusal->name : name_of(served.behaviour);
}

}  // namespace hyperion::sim
