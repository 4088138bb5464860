// What a provider's own list of models says: the names, in each dialect's shape.
//
//   OpenAI     {"data": [{"id": "gpt-4o"}]}, of some hosts the array alone
//   Anthropic  {"data": [{"id": "claude-haiku-4-5"}]}
//   Gemini     {"models": [{"name": "models/gemini-2.5-pro"}]}
//
// Called by the gateway's discovery with an answer that is whole and of bounded size. Anthropic and
// Gemini cut their lists into pages; the largest page they have, 1000 models, is asked for and
// read, no further one. A name that is none (catalog::is_model_name) and an entry without one are
// passed over; a document of another shape, or one that ends early, is no list. Pure; allocates for
// the names, and never follows what else a list says.
#pragma once

#include <cstdint>
#include <string_view>

#include "catalog/model.h"
#include "catalog/name_set.h"

namespace hyperion::dialect {

enum class ProviderModels : uint8_t { read, malformed, too_many };

// Adds the names to `names` and seals it; after anything but `read` it is of no use. A list of more
// than `models_max` names is not taken.
ProviderModels read_provider_models(catalog::Dialect dialect, std::string_view body,
                                    size_t models_max, catalog::NameSet& names);

// Where the list is, behind the path of the provider's base_url.
std::string_view provider_models_path(catalog::Dialect dialect);

}  // namespace hyperion::dialect
