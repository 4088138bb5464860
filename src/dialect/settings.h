// The [translation] section of the conf: what is done about what a provider cannot be told.
//
// Filled by `config`, read by the encoders of requests (through Notes) and of answers. Plain data;
// the initialisers are the defaults.
#pragma once

#include <cstdint>

namespace hyperion::dialect {

enum class Unsupported : uint8_t {
  strict,  // what cannot be translated and changes the answer is refused
  drop,    // it is left out, and named in x-hyperion-dropped-params
};

struct TranslationSettings {
  Unsupported unsupported = Unsupported::strict;
  // Thinking texts of Anthropic's and Gemini's models go to OpenAI clients as reasoning_content.
  bool reasoning_content = true;
};

}  // namespace hyperion::dialect
