// What the gateway's translation has to come to, worked out at once and in one piece.
//
// The dialects' own translators do it, which tests/dialect judges; here they get the whole bytes,
// without the gateway's buffers, cuts, pauses and memory between them.
#pragma once

#include <string>

#include "config/config.h"
#include "dialect/wire.h"

namespace hyperion::sim {

// A request's way: from the dialect of a client to that of a provider.
struct Way {
  dialect::Wire client = dialect::Wire::openai_chat;
  dialect::Wire provider = dialect::Wire::openai_chat;
  bool stream = false;
  bool array = false;  // a Gemini stream without SSE, on the client's side

  bool translated() const { return client != provider; }
};

// "anthropic to gemini, streamed".
std::string name_of(const Way& way);

// The body for the provider; empty if the request cannot be translated.
std::string translated_request(const config::Config& config, const Way& way,
                               const catalog::Deployment& deployment, const std::string& body);

struct Translation {
  std::string text;
  bool ended = false;   // properly
  bool failed = false;  // the provider said so, or its words are broken
};

// The body for the client of what a provider has sent. `over`: nothing more will come. Without
// times: see without_times.
Translation translated_answer(const Way& way, const std::string& upstream_model,
                              const std::string& request_body, const std::string& request_id,
                              const std::string& answer, bool over);

// Leaves out the digits of `created` and `created_at`, which are the gateway's clock.
std::string without_times(std::string text);

}  // namespace hyperion::sim
