// A random request as a plan, and the same as a body in any of the four dialects.
//
// For the test that judges decisions by an oracle: the plan is what the client wants, written down
// before there is any JSON, so that the oracle needs no parser to know it. `body_of` spells it as a
// client of the dialect would, with the variants that its API allows. What a dialect cannot say
// (`allowed_by`) is taken out of the plan.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "catalog/facts.h"
#include "dialect/wire.h"

namespace hyperion::test {

struct AskedRequest {
  dialect::Wire wire = dialect::Wire::openai_chat;
  std::string model;  // "auto", or a name of the catalogue
  std::string_view text;
  bool tools = false;
  bool forced_call = false;
  bool past_call = false;    // the conversation holds a call and its result
  bool server_tool = false;  // one that the provider runs itself
  bool schema = false;
  bool any_json = false;
  bool image = false;
  bool image_in_result = false;
  bool sound = false;
  bool file = false;
  bool answer_in_sound = false;
  bool log_probabilities = false;
  bool temperature = false;
  bool prefill = false;
  bool thinking_budget = false;
  bool effort_given = false;
  catalog::Effort effort = catalog::Effort::none;
  int64_t choices = 1;
  int64_t output_tokens_max = -1;
  int64_t filler_tokens = 0;  // as many times " hello", each a token of every known tokenizer

  bool wants_thinking() const {
    return thinking_budget || (effort_given && effort != catalog::Effort::none);
  }
  bool wants_images() const { return image || image_in_result; }
  bool wants_tools() const { return tools || past_call || image_in_result; }
};

AskedRequest random_request(Random& random);
std::string body_of(const AskedRequest& asked, Random& random);

}  // namespace hyperion::test
