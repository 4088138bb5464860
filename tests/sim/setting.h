// The configuration of every simulated world.
//
// One model at a provider of each dialect, and one key. The gateway serves by it, and what judges
// the answers reads from it how a request has to be translated. That it cannot be loaded would be a
// fault of the test: it is printed, and nothing goes on from there.
#pragma once

#include <memory>

#include "config/config.h"

namespace hyperion::sim {

// Loaded once, shared by all seeds: it is immutable.
const std::shared_ptr<const config::Config>& shared_config();

}  // namespace hyperion::sim
