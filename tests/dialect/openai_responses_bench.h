// A request of Responses read and written again, for the tests of openai_responses alone.
//
// A Bench is the memory of one translation, with the provider and the model at hand, so that a test
// can change a fact of the model, or a field of the request, and write again. What it gives lives
// as long as it does.
#pragma once

#include <string>
#include <string_view>

#include "dialect/harness.h"

namespace hyperion::test {

struct Bench : Memory {
  std::string body;
  dialect::Request request;
  dialect::RequestProblem problem;
  catalog::Provider provider;
  catalog::Model model;
  bool model_known = true;
  dialect::TranslationSettings settings;

  bool decode(const dialect::Language& language, std::string_view text) {
    body = text;
    return language.decode_request(body, {arena, scratch}, request, problem);
  }
  // The provider's body; null, and `problem`, when it was refused.
  Json encode(const dialect::Language& language, std::string* dropped = nullptr,
              std::string* adjusted = nullptr) {
    dialect::Notes notes(settings, provider.name);
    buffer.clear();
    out.bytes({});
    const dialect::Target target{provider, model_known ? &model : nullptr, model.id, settings};
    const bool ok = language.encode_request(request, target, {arena, scratch}, out, notes);
    if (dropped != nullptr) *dropped = notes.dropped();
    if (adjusted != nullptr) *adjusted = notes.adjusted();
    problem = notes.problem;
    CHECK(ok == !problem);
    return ok ? json_of(out.text()) : Json();
  }
};

}  // namespace hyperion::test
