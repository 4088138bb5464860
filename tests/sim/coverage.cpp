#include "sim/coverage.h"

#include <cstdio>

#include "dialect/provider_error.h"
#include "sim/behaviour.h"
#include "sim/client.h"

namespace hyperion::sim {
namespace {

using Cells = std::map<std::string, std::map<std::string, uint64_t>>;
using dialect::Wire;

constexpr Wire provider_wires[] = {Wire::openai_chat, Wire::anthropic, Wire::gemini};

// What breakers, hedges and chains come to.
constexpr const char* chain_cells[] = {"breaker opened",
                                       "breaker half open",
                                       "breaker closed",
                                       "forced",
                                       "hedge",
                                       "hedge answered",
                                       "gave up: not_retryable",
                                       "gave up: exhausted",
                                       "gave up: attempts",
                                       "gave up: time",
                                       "gave up: money",
                                       "gave up: retry_budget",
                                       "answered by a fallback",
                                       "answered after a wait",
                                       "blameless, nothing opened"};

void print_rows(const Cells& rows) {
  for (const auto& [row, cells] : rows) {
    std::printf("  %-38s", row.c_str());
    for (const auto& [cell, count] : cells)
      std::printf(" %s:%llu", cell.c_str(), static_cast<unsigned long long>(count));
    std::printf("\n");
  }
}

void need(const Cells& rows, const std::string& row, const std::string& cell,
          std::vector<std::string>& missing) {
  const auto found = rows.find(row);
  if (found == rows.end() || (!cell.empty() && !found->second.contains(cell)))
    missing.push_back(cell.empty() ? row : row + " -> " + cell);
}

void need_moves(const Cells& moves, std::vector<std::string>& missing) {
  for (const Refusal& refusal : refusals()) {
    const dialect::ErrorTraits& traits = dialect::traits_of(refusal.kind);
    need(moves, refusal.name, "failed", missing);
    if (traits.moves_on) need(moves, refusal.name, "moved", missing);
    const bool again = refusal.should_retry > 0 || (refusal.should_retry == 0 && traits.retryable &&
                                                    refusal.kind != dialect::ErrorKind::timeout);
    // Longer than any client is kept waiting.
    if (again && refusal.retry_after_ms < 2'000) need(moves, refusal.name, "waited", missing);
    if (traits.key_fault && refusal.should_retry >= 0)
      need(moves, refusal.name, "other key", missing);
  }
  for (size_t i = 0; i < static_cast<size_t>(Behaviour::count); ++i) {
    const auto behaviour = static_cast<Behaviour>(i);
    if (is_good(behaviour) || behaviour == Behaviour::no_end_marker) continue;
    need(moves, name_of(behaviour), "moved", missing);
    need(moves, name_of(behaviour), "failed", missing);
    if (!stalls(behaviour)) need(moves, name_of(behaviour), "waited", missing);
  }
}

}  // namespace

void Coverage::print() const {
  std::printf("%llu requests, %llu answered, %llu steps\n",
              static_cast<unsigned long long>(requests), static_cast<unsigned long long>(answered),
              static_cast<unsigned long long>(steps));
  std::printf("what happened, and with which ends (side and phase) in the same world:\n");
  print_rows(ends);
  std::printf("attempts, and what followed them:\n");
  print_rows(moves);
  std::printf("chains:\n");
  for (const auto& [cell, count] : chain)
    std::printf("  %-38s %llu\n", cell.c_str(), static_cast<unsigned long long>(count));
}

std::vector<std::string> Coverage::missing() const {
  std::vector<std::string> missing;
  for (const Wire provider : provider_wires) {
    for (size_t i = 0; i < static_cast<size_t>(Behaviour::count); ++i) {
      const std::string name = name_of(static_cast<Behaviour>(i));
      if (static_cast<Behaviour>(i) == Behaviour::error_status) continue;
      need(ends, name + " at " + std::string(dialect::name_of(provider)), "--", missing);
    }
    for (const Refusal& refusal : refusals())
      need(ends, std::string(refusal.name) + " at " + std::string(dialect::name_of(provider)), "--",
           missing);
    for (size_t client = 0; client < dialect::wires_count; ++client) {
      for (const bool stream : {false, true}) {
        const Way way{static_cast<Wire>(client), provider, stream, false};
        need(ends, name_of(way), "--", missing);
      }
    }
  }
  for (size_t i = 0; i < static_cast<size_t>(Manner::count); ++i)
    need(ends, std::string("client ") + name_of(static_cast<Manner>(i)), "", missing);
  need_moves(moves, missing);
  for (const char* cell : chain_cells) {
    if (!chain.contains(cell)) missing.push_back(cell);
  }
  return missing;
}

}  // namespace hyperion::sim
