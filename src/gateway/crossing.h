// How a request gets from the client's dialect to a provider's, and its answer back.
//
// For every candidate one of few ways: the client's own bytes (the provider speaks the client's
// dialect: passthrough), a translation, or none. Also where the request goes at the provider. Pure:
// follows from the route's row, the provider's row and the model's row alone.
#pragma once

#include <cstddef>
#include <string_view>

#include "catalog/model.h"
#include "dialect/wire.h"
#include "gateway/endpoints.h"

namespace hyperion::gateway {

struct Crossing {
  enum class Kind : uint8_t {
    passthrough,
    translated,  // chat, from the client's dialect to `upstream` and back
    embeddings,  // OpenAI's to Gemini's and back
    counted,     // Anthropic's count_tokens to Gemini's and back
    estimate,    // tokens are counted by a rule of thumb, here
    impossible,
  };
  Kind kind = Kind::impossible;
  dialect::Wire upstream = dialect::Wire::openai_chat;

  // The provider gets a body of ours.
  bool translates() const {
    return kind == Kind::translated || kind == Kind::embeddings || kind == Kind::counted;
  }
};

Crossing crossing_to(const Endpoint& endpoint, const catalog::Deployment& deployment);

// The target's path behind the provider's base_url, with its query, for `model` at the provider.
// `as_array`: a Gemini stream is to come as a JSON array. Returns its length, 0 when it does not
// fit.
size_t write_upstream_path(const Crossing& crossing, const Endpoint& endpoint,
                           std::string_view model, bool stream, bool as_array, char* out,
                           size_t capacity);

}  // namespace hyperion::gateway
