// A decision of smart or automatic routing, with everything needed to make it again.
//
// `Question` is all that goes in: numbers only, no words and no hashes of words, so that it can be
// logged whole and asked again under another configuration. `Decision` is what comes out: the
// choice, what follows if it fails, and every candidate with its chance, its cost and the reason
// why it was not taken. Both are plain values without pointers into the request. Rendered by
// routing/decision_text.h.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "routing/roster.h"
#include "routing/scores.h"
#include "routing/settings.h"

namespace hyperion::routing {

// One turn of the user, as far as the choice depends on it.
struct Turn {
  Scores scores;               // of the last turn alone
  uint32_t tokens_before = 0;  // of everything in front of it: what a provider may have cached
  bool operator==(const Turn&) const = default;
};

struct Question {
  static constexpr size_t turns_max = Conversation::earlier_max + 1;

  Route route = Route::smart;
  const catalog::Deployment* asked = nullptr;  // nullptr of automatic
  const Rule* rule = nullptr;                  // the operator's first word
  Demands demands;
  std::array<Turn, turns_max> turns{};  // the last is the one to be answered
  TraitRow traits;                      // of the last turn
  int32_t calibrated = 0;  // what a calibration has added to its difficulty, in logit_one
  uint32_t turn_count = 0;
  uint32_t tokens_estimated = 0;  // of the whole input
  int64_t max_cost_nano_usd = -1;
  uint16_t pressure = 0;  // of the nearest budget, of 1000
  bool explains = false;  // worst costs are wanted of every candidate
};

// What is known at this moment of each deployment, by Deployment::index.
struct Live {
  std::span<const uint32_t> first_token_us;  // lately; 0: unknown
  std::span<const uint8_t> unhealthy;        // not 0: left alone
};

// Who may be chosen.
struct Field {
  std::span<const RosterRow> candidates;
  const catalog::DeploymentSet* allowed = nullptr;
  uint64_t providers = ~uint64_t{0};  // bit for each Provider::index below 64
  std::span<const Way> ways;          // by Deployment::index
  Live live;
  bool assume_usable = false;  // providers without their key count: nothing is sent
};

inline constexpr int32_t chance_unknown = -1;

struct Candidate {
  const catalog::Deployment* deployment = nullptr;
  int32_t chance = 0;  // of chance_one, to be good enough; chance_unknown without a quality
  Exclusion excluded = Exclusion::none;
  int64_t expected_nano_usd = 0;
  int64_t worst_nano_usd = 0;
};

// A fingerprint of all numbers that the scores were made from: equal for equal structure. Not of
// words.
uint64_t structure_hash(const Question& question);

struct Decision {
  static constexpr size_t candidates_max = Roster::size_max;
  static constexpr size_t next_max = 3;  // contract: at most three more

  Route route = Route::passthrough;
  Tier tier = Tier::balanced;
  Scores scores;           // of the last turn alone
  uint64_t structure = 0;  // structure_hash of the question
  Scores held_scores;      // what counted: no easier than the conversation's last turns allow
  uint32_t tokens_estimated = 0;
  const catalog::Deployment* asked = nullptr;
  const catalog::Deployment* chosen = nullptr;  // nullptr: no candidate; see `wall`
  const catalog::Deployment* held = nullptr;    // the conversation's model until now
  const Rule* rule = nullptr;
  std::array<const catalog::Deployment*, next_max> next{};  // if the choice fails
  uint32_t next_count = 0;
  int64_t saved_nano_usd = 0;        // against what was asked for, or the best candidate
  Exclusion wall = Exclusion::none;  // the one that most candidates hit, if none is left
  const catalog::Deployment* nearest = nullptr;  // the cheapest that only this wall keeps out
  std::array<Candidate, candidates_max> candidates;
  uint32_t candidate_count = 0;
  uint64_t ns = 0;  // what it took, everything included
};

}  // namespace hyperion::routing
