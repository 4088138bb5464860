// An outage as the body of POST /_simulator/outages.
//
// The fields are those of [[simulator.outages]] in the conf, and so is the reader, with its
// messages and lines; this turns the JSON into what that reader takes. Pure. `read_outage_body` is
// given a body that the json Scanner has passed.
#pragma once

#include <string>
#include <string_view>

#include "config/outages.h"
#include "simulator/json_tree.h"

namespace hyperion::simulator {

// False: `problem` says everything that is wrong, each with its line.
bool read_outage_body(std::string_view body, JsonTree& tree, config::Outage& outage,
                      std::string& problem);

}  // namespace hyperion::simulator
