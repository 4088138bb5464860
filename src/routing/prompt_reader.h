// Reads from a request's body what routing judges it by, whatever the dialect.
//
// One walk over the tokens of a body that the Scanner has found valid: it sees which members are
// texts of whom and counts the rest, copies nothing and allocates nothing. The four dialects share
// one reader, because what they call the same thing differs by a few words and never contradicts;
// where it does, the dialect decides. It is lenient: a value of a wrong type is passed over, the
// provider or the translation refuses it later. Costs about 2 ns a token above the scan.
#pragma once

#include <string_view>

#include "dialect/wire.h"
#include "json/walker.h"
#include "routing/prompt.h"

namespace hyperion::routing {

// `walker` stands at the beginning of `body`, `wire` is the client's dialect. What is found goes to
// `conversation`, whose views live as long as `body`.
void read_conversation(std::string_view body, json::Walker walker, dialect::Wire wire,
                       Conversation& conversation);

}  // namespace hyperion::routing
