// Outages of the simulated providers: who they strike, when, and what goes wrong.
//
// An Outage is an entry of [[simulator.outages]], or the body of POST /_simulator/outages, which
// has the same fields. One table names the kinds with the fields each needs; docs/simulator.md
// shows the same table and a test compares the two. Plain data: config/outage_values.h reads it,
// simulator/outages.h says what holds for a request at a time. Times are in milliseconds since the
// simulator's start.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hyperion::config {

enum class OutageKind : uint8_t {
  down,
  flapping,
  partial,
  slow_start,
  brown_out,
};

struct OutageRow {
  OutageKind kind;
  std::string_view name;
  bool has_fault;                           // takes `fault`
  std::span<const std::string_view> needs;  // the fields that no other kind may have
  std::string_view help;
};

std::span<const OutageRow> outage_table();
const OutageRow& row_of(OutageKind kind);

struct Outage {
  std::string name;  // for the schedule's page alone

  // Who: requests that are all of what is given.
  std::string provider;  // "openai", "anthropic" or "gemini"
  std::string model;     // a name, with its dated releases, or the beginning of one and a "*"
  std::string api_key;
  std::string path;  // how the path begins: "/eu/" of a base_url that ends so
  std::string host;  // of the request, without its port

  // When: from `start_ms` for `length_ms` (0: for ever), and again each `period_ms` (0: once).
  uint64_t start_ms = 0;
  uint64_t length_ms = 0;
  uint64_t period_ms = 0;

  // What.
  uint8_t kind = 0;           // of OutageKind
  std::string fault = "503";  // as in x-hyperion-fault, without a model
  uint32_t percent = 0;       // of the requests
  uint64_t down_ms = 0;
  uint64_t up_ms = 0;
  uint64_t recovery_ms = 0;    // after the end, while the first token comes late
  uint64_t slow_ms = 0;        // so late right after the end
  uint32_t slower_factor = 0;  // of the first token and of the gaps

  bool is(OutageKind other) const { return kind == static_cast<uint8_t>(other); }
};

}  // namespace hyperion::config
