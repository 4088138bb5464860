// The configuration of every simulated world: one model at a provider of each dialect, one key.
#pragma once

#include <memory>

#include "config/config.h"

namespace hyperion::sim {

// Loaded once, shared by all seeds: it is immutable.
const std::shared_ptr<const config::Config>& shared_config();

}  // namespace hyperion::sim
