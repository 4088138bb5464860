// [[routing.rules]] as the conf writes them: the part of config/values.cpp that knows routing.
//
// Reads one list of tables into the rules of routing/settings.h, or leaves a sentence in `problem`
// that says which rule and which of its keys is wrong, and returns false. Called by `assign`
// (config/keys.h) alone. What a rule's model stands for is looked up later, by the loader. No
// files, no I/O.
#pragma once

#include <string>
#include <vector>

#include "config/document.h"
#include "routing/settings.h"

namespace hyperion::config {

bool assign_routing_rules(std::vector<routing::Rule>& rules, const Value& value,
                          std::string& problem);

}  // namespace hyperion::config
