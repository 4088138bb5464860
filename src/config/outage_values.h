// Outages as the conf and the simulator's page write them: the part of config/values.cpp that knows
// them.
//
// Reads a table into an Outage (config/outages.h), whole: what it says of one kind and gives to
// another, an unknown key or a misspelt fault is a problem with its key and line, never ignored.
// Called by the loader for [[simulator.outages]] and by the simulator for a JSON body, turned into
// a Value before. No files, no I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "config/outages.h"

namespace hyperion::config {

struct OutageProblem {
  uint32_t line = 0;
  std::string key;  // of the entry; empty: the entry as a whole
  std::string message;
};

inline constexpr size_t outages_max = 256;

// Adds what is wrong to `problems`; nothing added: `outage` is filled.
void read_outage(const Value& table, Outage& outage, std::vector<OutageProblem>& problems);

// A list of such tables.
void read_outages(const Value& list, std::vector<Outage>& outages,
                  std::vector<OutageProblem>& problems);

}  // namespace hyperion::config
