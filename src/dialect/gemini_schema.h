// OpenAPI's schemas, as Gemini's `parameters` and `responseSchema` have them, into JSON Schema.
//
// Google's own clients write types in capitals (STRING), `nullable` beside the type, 64-bit bounds
// as strings, `propertyOrdering` and `example`; other vendors know none of these. Order and
// spelling of all else are kept, and a schema that needs no change is passed on byte for byte.
// Pure; memory from the workspace, one block of the arena at most for each schema that changes.
#pragma once

#include "dialect/language.h"

namespace hyperion::dialect::gemini {

enum class SchemaResult : uint8_t { done, too_large, no_memory };

// `schema` is valid JSON, an object. What is written to `result` lives in the arena, or is
// `schema` itself.
SchemaResult to_json_schema(std::string_view schema, Workspace workspace, Json& result);

}  // namespace hyperion::dialect::gemini
