#include "dialect/wire.h"

namespace hyperion::dialect {

std::string_view name_of(Wire wire) {
  switch (wire) {
    case Wire::openai_chat: return "openai_chat";
    case Wire::openai_responses: return "openai_responses";
    case Wire::anthropic: return "anthropic";
    case Wire::gemini: return "gemini";
  }
  return "";
}

}  // namespace hyperion::dialect
