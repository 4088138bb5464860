#include "config/outage_values.h"

#include <algorithm>

#include "config/faults.h"
#include "config/keys.h"

namespace hyperion::config {
namespace {

constexpr std::string_view flapping_needs[] = {"down_ms", "up_ms"};
constexpr std::string_view partial_needs[] = {"percent"};
constexpr std::string_view slow_start_needs[] = {"recovery_ms", "slow_ms"};
constexpr std::string_view brown_out_needs[] = {"slower_factor"};

// In the order of OutageKind.
constexpr OutageRow rows[] = {
    {OutageKind::down, "down", true, {}, "every request gets the fault"},
    {OutageKind::flapping, "flapping", true, flapping_needs,
     "the fault for `down_ms`, then nothing for `up_ms`, and so on"},
    {OutageKind::partial, "partial", true, partial_needs,
     "`percent` of the requests get the fault: the same ones with the same seed"},
    {OutageKind::slow_start, "slow_start", true, slow_start_needs,
     "the fault, and after the end the first token takes `slow_ms`, falling evenly to the usual "
     "over `recovery_ms`"},
    {OutageKind::brown_out, "brown_out", false, brown_out_needs,
     "no fault: the first token and each later one take `slower_factor` times as long as usual, or "
     "as 1 ms where that is nothing"},
};

// The keys that a table gave, with their lines.
class Given {
 public:
  Given(const Value& table, std::vector<OutageProblem>& problems)
      : table_(table), problems_(problems) {}

  bool has(std::string_view key) const { return table_.find(key) != nullptr; }
  void problem(std::string_view key, std::string message) {
    uint32_t line = table_.line;
    for (const Member& member : table_.members) {
      if (member.key == key) line = member.line;
    }
    problems_.push_back({line, std::string(key), std::move(message)});
  }

 private:
  const Value& table_;
  std::vector<OutageProblem>& problems_;
};

std::string list_of_keys() {
  std::string list;
  for (const auto& each : outage_keys())
    list += (list.empty() ? "" : ", ") + std::string(each.name);
  return list;
}

// Fills the outage; false: something is wrong with a single key.
bool read_keys(const Value& table, Outage& outage, std::vector<OutageProblem>& problems) {
  const size_t before = problems.size();
  const auto keys = outage_keys();
  for (auto member = table.members.begin(); member != table.members.end(); ++member) {
    const auto key = std::find_if(keys.begin(), keys.end(),
                                  [&](const auto& each) { return each.name == member->key; });
    std::string message;
    if (key == keys.end()) {
      problems.push_back({member->line, {}, "unknown key: expected one of " + list_of_keys()});
    } else if (std::any_of(table.members.begin(), member,
                           [&](const Member& other) { return other.key == member->key; })) {
      problems.push_back({member->line, member->key, "is there twice"});
    } else if (!assign(key->slot(outage), key->rule, member->value, message)) {
      problems.push_back({member->line, member->key, std::move(message)});
    }
  }
  return problems.size() == before;
}

void check_kind(const Outage& outage, Given& given) {
  const OutageRow& row = row_of(static_cast<OutageKind>(outage.kind));
  const std::string kind = "kind = \"" + std::string(row.name) + "\"";
  for (const OutageRow& other : rows) {
    for (std::string_view key : other.needs) {
      const bool needed = other.kind == row.kind;
      if (needed && !given.has(key)) given.problem(key, "is missing: " + kind + " needs it");
      if (!needed && given.has(key)) given.problem(key, "is of no use with " + kind);
    }
  }
  if (!row.has_fault && given.has("fault")) given.problem("fault", "is of no use with " + kind);
}

void check_who(Outage& outage, Given& given) {
  const size_t star = outage.model.find('*');
  if (star != std::string::npos && star + 1 != outage.model.size()) {
    given.problem("model",
                  "expected a model's name, or the beginning of one and a \"*\" at its end");
  }
  if (!outage.path.empty() && !outage.path.starts_with('/')) {
    given.problem("path", "expected the beginning of a path such as \"/eu/\"");
  }
  for (char& c : outage.host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (outage.host.find_first_of(":/ ") != std::string::npos) {
    given.problem("host", "expected the name of a host alone, such as \"eu.example.com\"");
  }
}

void check_fault(const Outage& outage, Given& given) {
  if (outage.fault.find('=') != std::string::npos) {
    given.problem("fault", "expected a fault without a model, which has a key of its own");
    return;
  }
  FaultPlan plan;
  std::string_view unknown;
  read_faults(outage.fault, {}, true, plan, unknown);
  const bool before_body = plan.is(FaultKind::early) || plan.is(FaultKind::interim);
  if (before_body && !outage.model.empty()) {
    given.problem("fault",
                  "happens before the body is read, when the model is not known yet: leave "
                  "model out, or choose another fault");
  }
}

void check_times(const Outage& outage, Given& given) {
  if (outage.is(OutageKind::slow_start) && outage.length_ms == 0) {
    given.problem("length_ms", "is missing: a recovery follows an end");
  }
  if (outage.period_ms == 0) return;
  const uint64_t once_ms = outage.length_ms + outage.recovery_ms;
  if (outage.length_ms == 0) {
    given.problem("period_ms", "needs length_ms: what has no end does not begin again");
  } else if (outage.period_ms < once_ms) {
    given.problem("period_ms", "expected at least " + std::to_string(once_ms) +
                                   ", which is how long it takes once");
  }
}

}  // namespace

std::span<const OutageRow> outage_table() { return rows; }

const OutageRow& row_of(OutageKind kind) { return rows[static_cast<size_t>(kind)]; }

void read_outage(const Value& value, Outage& outage, std::vector<OutageProblem>& problems) {
  if (value.kind != Value::Kind::table) {
    problems.push_back({value.line, {}, "expected an entry with keys, given " + describe(value)});
    return;
  }
  if (!read_keys(value, outage, problems)) return;
  Given given(value, problems);
  check_kind(outage, given);
  check_who(outage, given);
  check_fault(outage, given);
  check_times(outage, given);
}

void read_outages(const Value& list, std::vector<Outage>& outages,
                  std::vector<OutageProblem>& problems) {
  if (list.kind != Value::Kind::list || list.items.size() > outages_max) {
    problems.push_back({list.line,
                        {},
                        "expected at most " + std::to_string(outages_max) +
                            " entries that each begin with [[simulator.outages]], given " +
                            describe(list)});
    return;
  }
  for (const Value& item : list.items) read_outage(item, outages.emplace_back(), problems);
}

}  // namespace hyperion::config
