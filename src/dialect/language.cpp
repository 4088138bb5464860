#include "dialect/language.h"

#include "dialect/anthropic.h"
#include "dialect/gemini.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_responses.h"

namespace hyperion::dialect {

const Language& language_of(Wire wire) {
  switch (wire) {
    case Wire::openai_responses: return openai_responses::language();
    case Wire::anthropic: return anthropic::language();
    case Wire::gemini: return gemini::language();
    case Wire::openai_chat: break;
  }
  return openai_chat::language();
}

}  // namespace hyperion::dialect
