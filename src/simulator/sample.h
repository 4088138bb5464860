// A JSON value that fits a JSON Schema, as far as the schema is simple.
//
// Called for the arguments of tools and for structured answers, by every dialect. Follows local
// $ref, takes the first of enum and of anyOf, honours minimum, minLength, minItems and the usual
// formats; patterns and what contradicts itself are beyond it. Bounded in depth and size. The same
// schema always gives the same value. Reads types in either case (Gemini spells them in capitals).
#pragma once

#include <string>

#include "simulator/json_tree.h"

namespace hyperion::simulator {

// Appends the value. `root` is the schema that local references point into.
void append_sample(JsonValue schema, JsonValue root, std::string& out);

// The arguments of a tool whose parameters are `schema`: always an object.
void append_arguments(JsonValue schema, std::string& out);

}  // namespace hyperion::simulator
