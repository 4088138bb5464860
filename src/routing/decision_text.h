// Decisions as text: the header's line, the JSON of the contract, and what the log keeps.
//
// The JSON is for people and programs that ask why; the log's form holds the question instead, in
// numbers, so that the decision can be made again (`hyperion replay`), and leaves the candidates
// out, which follow from it. Writing cannot fail but for room: the growing Output remembers that,
// the fixed forms are cut to nothing.
#pragma once

#include <cstddef>
#include <string_view>

#include "json/output.h"
#include "routing/decision.h"

namespace hyperion::routing {

// What a decision was made under.
struct Stamps {
  std::string_view config;
  std::string_view catalog;
  std::string_view weights;
};

std::string_view name_of(Route route);
std::string_view name_of(Tier tier);  // the contract's intents: "cheap_fast"
std::string_view name_of(Way way);

// "tier=1 score=0.12 from=gpt-5.2 to=gpt-5-nano saved=$0.001234". Returns its length; 160 bytes
// are enough but for very long names, which make it 0.
size_t write_decision_line(const Decision& decision, std::string_view requested, char* out,
                           size_t capacity);

// The whole decision as one JSON object.
void write_decision(const Decision& decision, std::string_view requested, const Stamps& stamps,
                    json::Output& out);

// The question and its answer in numbers, as one JSON object of about 600 bytes.
void write_logged(const Question& question, const Field& field, const Decision& decision,
                  const Stamps& stamps, json::Output& out);

}  // namespace hyperion::routing
