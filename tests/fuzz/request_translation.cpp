// Any bytes as a client's request, in each dialect, written for providers of each.
//
// The first byte chooses the dialect and what the model takes. Holds: a refusal is complete and
// names a field; what is written for a provider is one JSON object that the scanner accepts, the
// same each time; and its own dialect can read it, or refuses it completely.

#include <cstdint>
#include <cstring>

#include "fuzz/translation.h"
#include "json/scanned.h"

using namespace hyperion;
using test::FuzzMemory;
using test::require;

namespace {

void check_problem(const dialect::RequestProblem& problem) {
  require(problem.status >= 400 && problem.status < 600, "a refusal has a status");
  require(problem.code != nullptr && *problem.code != '\0', "a refusal has a code");
  require(std::memchr(problem.message, 0, sizeof(problem.message)) != nullptr &&
              problem.message[0] != '\0',
          "a refusal has a message");
  require(std::memchr(problem.param, 0, sizeof(problem.param)) != nullptr, "its field has an end");
}

// A model by its facts: each bit of `choice` turns one.
catalog::Model model_of(uint8_t choice) {
  catalog::Model model;
  model.id = "model";
  model.output_tokens_max = 4096;
  model.efforts.bits = (choice & 1) != 0 ? 0x7F : 0;
  model.thinking = static_cast<catalog::Thinking>(choice % 4);
  model.thinking_off = static_cast<catalog::ThinkingOff>(choice % 5);
  model.sampling = static_cast<catalog::Sampling>(choice % 3);
  model.thinking_budget = {1024, 8192};
  model.capabilities.reasoning = static_cast<catalog::Answer>(choice % 3);
  model.capabilities.json_schema = static_cast<catalog::Answer>(choice / 2 % 3);
  model.forced_tools = (choice & 4) != 0;
  model.system_in_messages = (choice & 8) != 0;
  model.prefill = (choice & 16) != 0;
  model.tools_with_schema = (choice & 32) != 0;
  return model;
}

struct Written {
  bool accepted = false;
  std::string body;
};

Written write(const dialect::Language& language, const dialect::Request& request,
              const catalog::Model& model, bool known, dialect::Unsupported unsupported) {
  static const catalog::Provider provider;
  FuzzMemory memory;
  dialect::TranslationSettings settings;
  settings.unsupported = unsupported;
  dialect::Notes notes(settings, "provider");
  const dialect::Target target{provider, known ? &model : nullptr, "model", settings};
  Written written;
  written.accepted =
      language.encode_request(request, target, {memory.arena, memory.scratch}, memory.out, notes);
  if (written.accepted) {
    written.body = memory.out.text();
  } else {
    check_problem(notes.problem);
  }
  return written;
}

void check_written(const dialect::Language& language, const std::string& body) {
  const auto tree = test::read_json(body);
  require(tree && tree->is(test::Json::Kind::object), "what is written is a JSON object");
  json::Limits limits;
  limits.depth_max = 1024;
  const test::Scanned scanned(body, limits);
  // The scanner's own keys may stand in what a client sent; the provider has no such rule.
  if (!scanned.ok) require(scanned.error.code != ErrorCode::malformed_json, "it is valid");
  FuzzMemory memory;
  dialect::Request again;
  dialect::RequestProblem problem;
  if (!language.decode_request(body, {memory.arena, memory.scratch}, again, problem)) {
    check_problem(problem);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const uint8_t choice = data[0];
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const test::Scanned scanned(body);
  if (!scanned.ok) return 0;
  FuzzMemory memory;
  dialect::Request request;
  dialect::RequestProblem problem;
  const dialect::Language& from = test::language_at(choice & 3);
  if (!from.decode_request(scanned.text.view(), {memory.arena, memory.scratch}, request, problem)) {
    check_problem(problem);
    return 0;
  }
  const catalog::Model model = model_of(static_cast<uint8_t>(choice >> 2));
  for (size_t i = 0; i < dialect::wires_count; ++i) {
    const dialect::Language& to = test::language_at(i);
    for (const auto unsupported : {dialect::Unsupported::strict, dialect::Unsupported::drop}) {
      const bool known = (choice & 128) == 0;
      const Written written = write(to, request, model, known, unsupported);
      const Written again = write(to, request, model, known, unsupported);
      require(written.accepted == again.accepted && written.body == again.body,
              "the same request gives the same bytes");
      if (written.accepted) check_written(to, written.body);
    }
  }
  return 0;
}
