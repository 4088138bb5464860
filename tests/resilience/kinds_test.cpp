// One table of what follows from each kind of an error: what docs/resilience.md says of it is what
// the chain and the breakers do.
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "resilience/chain.h"
#include "resilience/health.h"

namespace hyperion::resilience {

extern const std::string_view resilience_page;  // docs/resilience.md, embedded by the build

namespace {

using dialect::ErrorKind;

constexpr Instant start{1'000 * ns_per_ms};

// The cells of the row that begins with `name` in backquotes.
std::vector<std::string> row_of(std::string_view name) {
  const std::string begin = "| `" + std::string(name) + "` |";
  const size_t at = resilience_page.find(begin);
  REQUIRE_MESSAGE(at != std::string_view::npos, "no row for " << begin);
  std::string_view row = resilience_page.substr(at, resilience_page.find('\n', at) - at);
  std::vector<std::string> cells;
  for (size_t from = row.find('|') + 1; from < row.size();) {
    const size_t to = row.find('|', from);
    if (to == std::string_view::npos) break;
    std::string_view cell = row.substr(from, to - from);
    while (!cell.empty() && cell.front() == ' ') cell.remove_prefix(1);
    while (!cell.empty() && cell.back() == ' ') cell.remove_suffix(1);
    cells.emplace_back(cell);
    from = to + 1;
  }
  REQUIRE(cells.size() == 5);
  return cells;
}

Action after(ErrorKind kind, size_t candidates, uint8_t keys) {
  Chain chain;
  chain.reset({.attempts_max = 8, .wait_max_ms = 1'000, .deadline = start + 60 * ns_per_s});
  for (size_t i = 0; i < candidates; ++i) {
    Candidate candidate;
    candidate.place = static_cast<uint32_t>(i);
    candidate.keys = keys;
    candidate.context_tokens = static_cast<uint32_t>(i + 1) * 1'000;
    chain.add(candidate);
  }
  chain.next({}, start);
  Event event;
  event.kind = Event::Kind::failed;
  event.error = kind;
  event.sent = true;
  return chain.next(event, start);
}

std::string next_in_words(ErrorKind kind) {
  const Action action = after(kind, 2, 1);
  if (action.kind != Action::Kind::attempt || action.candidate != 1) return "no";
  if (kind == ErrorKind::context_too_long) return "with a larger window only";
  const Action with_keys = after(kind, 2, 2);
  return with_keys.candidate == 0 ? "yes, another key first" : "yes";
}

std::string again_in_words(ErrorKind kind) {
  return after(kind, 1, 1).kind == Action::Kind::wait ? "yes" : "no";
}

std::string breaker_in_words(ErrorKind kind) {
  catalog::Draft draft;
  for (const char* id : {"acme-1", "acme-2"}) {
    catalog::Model model;
    model.id = id;
    model.family = "acme";
    model.endpoints = static_cast<uint8_t>(catalog::Endpoint::chat);
    draft.models.push_back({std::move(model), {}});
  }
  catalog::Provider provider;
  provider.name = "acme";
  provider.serves = {"acme"};
  draft.providers.push_back({std::move(provider), {}});
  std::vector<catalog::Problem> problems;
  const catalog::Catalog catalog = catalog::Catalog::build(std::move(draft), problems);
  BreakerSettings settings;
  Health health(catalog, settings, nullptr);
  Verdict verdict;
  verdict.kind = Verdict::Kind::failure;
  verdict.error = kind;
  Notice notice;
  const bool at_once = health.on_attempt_ended(0, false, verdict, start, notice);
  if (at_once && notice.whole_key) return "shuts the key at once";
  if (at_once && notice.why == Breaker::Why::rate_limited)
    return "shuts the key for this model, for its Retry-After";
  if (at_once) return "shuts the key for this model";
  bool opened = false;
  for (uint32_t i = 1; i < settings.consecutive_failures; ++i)
    opened = health.on_attempt_ended(0, false, verdict, start, notice) || opened;
  return opened ? "yes" : "no";
}

}  // namespace

TEST_CASE("docs/resilience.md says of every kind of error what follows from it") {
  for (int i = 1; i <= static_cast<int>(ErrorKind::cancelled); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    const std::string_view name = dialect::name_of(kind);
    CAPTURE(name);
    const std::vector<std::string> row = row_of(name);
    CHECK(row[2] == next_in_words(kind));
    CHECK(row[3] == again_in_words(kind));
    CHECK(row[4] == breaker_in_words(kind));
  }
}

}  // namespace hyperion::resilience
