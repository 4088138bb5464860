// What this host's io_uring can do, and why Hyperion cannot run where it can't.
//
// `probe` sets up a small ring on the calling thread, asks for the operations that are needed and
// tries what a version number does not tell (the optimistic send, the buffer ring). `hyperion
// check` and the start of `serve` print the table. There is no second engine: a refusal is two
// lines, what failed and what to change. Never aborts, never leaves a ring open.
#pragma once

#include <string>
#include <vector>

namespace hyperion::io {

// Why no ring could be set up; both are whole lines for people.
struct Refusal {
  std::string what;
  std::string remedy;
  explicit operator bool() const { return !what.empty(); }
};

struct Capability {
  std::string name;
  bool present = false;
  bool required = false;
  std::string note;
};

struct CapabilityReport {
  Refusal refusal;  // empty: Hyperion can run here
  std::vector<Capability> capabilities;
  bool optimistic_send = false;
  std::string kernel;

  // The table as printed at start-up, one line each, ending in a line feed.
  std::string table() const;
};

CapabilityReport probe_capabilities();

// The two lines for a failed call: `call` with `error` (an errno).
Refusal explain_refusal(const char* call, int error);

}  // namespace hyperion::io
