#include "gateway/crossing.h"

#include <string>

#include <doctest/doctest.h>

using namespace hyperion;
using namespace hyperion::gateway;
using catalog::Dialect;
using dialect::Wire;
using Kind = Crossing::Kind;

namespace {

constexpr auto chat = static_cast<uint8_t>(catalog::Endpoint::chat);
constexpr auto completions = static_cast<uint8_t>(catalog::Endpoint::completions);
constexpr auto embeddings = static_cast<uint8_t>(catalog::Endpoint::embeddings);
constexpr auto responses = static_cast<uint8_t>(catalog::Endpoint::responses);
constexpr auto moderations = static_cast<uint8_t>(catalog::Endpoint::moderations);

// A model at a provider, and the route that asks for it.
struct Place {
  explicit Place(Dialect dialect, uint8_t endpoints = chat) {
    provider.dialect = dialect;
    model.endpoints = endpoints;
    deployment.provider = &provider;
    deployment.model = &model;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  Crossing from(Wire wire, Operation operation = Operation::chat) const {
    return crossing_to(route(wire, operation), deployment);
  }
  std::string path(Wire wire, Operation operation, bool stream, bool as_array = false,
                   size_t capacity = 200) const {
    char out[200];
    const Endpoint endpoint = route(wire, operation);
    const size_t size = write_upstream_path(crossing_to(endpoint, deployment), endpoint, "the-name",
                                            stream, as_array, out, capacity);
    return {out, size};
  }
  static Endpoint route(Wire wire, Operation operation) {
    Endpoint endpoint{};
    endpoint.wire = wire;
    endpoint.operation = operation;
    return endpoint;
  }

  catalog::Provider provider;
  catalog::Model model;
  catalog::Deployment deployment;
};

constexpr Wire wires[] = {Wire::openai_chat, Wire::openai_responses, Wire::anthropic, Wire::gemini};

}  // namespace

TEST_CASE("chat crosses from every dialect to every provider, untouched where both are the same") {
  struct Row {
    Dialect dialect;
    bool speaks_responses;
    Wire upstream[4];  // for clients of the four wires, in their order
  };
  const Row rows[] = {
      {Dialect::openai,
       false,
       {Wire::openai_chat, Wire::openai_chat, Wire::openai_chat, Wire::openai_chat}},
      {Dialect::openai,
       true,
       {Wire::openai_chat, Wire::openai_responses, Wire::openai_chat, Wire::openai_chat}},
      {Dialect::anthropic,
       false,
       {Wire::anthropic, Wire::anthropic, Wire::anthropic, Wire::anthropic}},
      {Dialect::gemini, false, {Wire::gemini, Wire::gemini, Wire::gemini, Wire::gemini}},
  };
  for (const Row& row : rows) {
    Place place(row.dialect);
    place.provider.speaks_responses = row.speaks_responses;
    for (size_t i = 0; i < std::size(wires); ++i) {
      CAPTURE(dialect::name_of(wires[i]));
      CAPTURE(dialect::name_of(row.upstream[i]));
      const Crossing crossing = place.from(wires[i]);
      CHECK(crossing.upstream == row.upstream[i]);
      CHECK(crossing.kind == (wires[i] == row.upstream[i] ? Kind::passthrough : Kind::translated));
      CHECK(crossing.translates() == (wires[i] != row.upstream[i]));
    }
  }
}

TEST_CASE("which of OpenAI's two dialects is spoken follows from the model and its provider") {
  struct Row {
    const char* what;
    bool speaks_responses;
    uint8_t endpoints;
    bool tools_with_reasoning;
    Wire client;
    Kind kind;
    Wire upstream;
  };
  const Row rows[] = {
      {"a model of Responses only is translated for a chat client", true, responses, true,
       Wire::openai_chat, Kind::translated, Wire::openai_responses},
      {"and for Anthropic's", true, responses, true, Wire::anthropic, Kind::translated,
       Wire::openai_responses},
      {"and passes through for its own", true, responses, true, Wire::openai_responses,
       Kind::passthrough, Wire::openai_responses},
      {"a provider without Responses cannot serve it", false, responses, true, Wire::openai_chat,
       Kind::impossible, Wire::openai_chat},
      {"whoever asks", false, responses, true, Wire::openai_responses, Kind::impossible,
       Wire::openai_chat},
      {"tools with reasoning on Responses only: others go there", true, chat | responses, false,
       Wire::anthropic, Kind::translated, Wire::openai_responses},
      {"but a chat client's own bytes stay on chat", true, chat | responses, false,
       Wire::openai_chat, Kind::passthrough, Wire::openai_chat},
      {"there is no such place at a provider without Responses", false, chat | responses, false,
       Wire::gemini, Kind::translated, Wire::openai_chat},
      {"a model of neither is not for chat", true, embeddings, true, Wire::openai_chat,
       Kind::impossible, Wire::openai_chat},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Place place(Dialect::openai, row.endpoints);
    place.provider.speaks_responses = row.speaks_responses;
    place.model.tools_with_reasoning = row.tools_with_reasoning;
    const Crossing crossing = place.from(row.client);
    CHECK(crossing.kind == row.kind);
    if (row.kind != Kind::impossible) CHECK(crossing.upstream == row.upstream);
  }
}

TEST_CASE("a model that the catalogue does not know is let through in the client's dialect") {
  Place place(Dialect::openai);
  place.deployment.model = nullptr;
  CHECK(place.from(Wire::openai_chat).kind == Kind::passthrough);
  CHECK(place.from(Wire::openai_responses).kind == Kind::translated);
  CHECK(place.from(Wire::openai_responses).upstream == Wire::openai_chat);
  place.provider.speaks_responses = true;
  CHECK(place.from(Wire::openai_responses).kind == Kind::passthrough);
  CHECK(place.from(Wire::anthropic).upstream == Wire::openai_chat);
  CHECK(place.from(Wire::openai_chat, Operation::embeddings).kind == Kind::passthrough);
}

TEST_CASE("what is not chat passes through, is asked of Google, or is not to be had") {
  struct Row {
    Operation operation;
    uint8_t endpoints;
    Wire client;
    Kind at_openai, at_anthropic, at_gemini;
  };
  constexpr Wire openai = Wire::openai_chat;
  const Row rows[] = {
      {Operation::completions, completions, openai, Kind::passthrough, Kind::impossible,
       Kind::impossible},
      {Operation::embeddings, embeddings, openai, Kind::passthrough, Kind::impossible,
       Kind::embeddings},
      {Operation::moderations, moderations, openai, Kind::passthrough, Kind::impossible,
       Kind::impossible},
      {Operation::count_tokens, chat | responses, Wire::anthropic, Kind::estimate,
       Kind::passthrough, Kind::counted},
      {Operation::count_tokens, chat | responses, Wire::gemini, Kind::estimate, Kind::estimate,
       Kind::passthrough},
  };
  for (const Row& row : rows) {
    const std::pair<Dialect, Kind> expected[] = {{Dialect::openai, row.at_openai},
                                                 {Dialect::anthropic, row.at_anthropic},
                                                 {Dialect::gemini, row.at_gemini}};
    for (const auto& [dialect, kind] : expected) {
      CAPTURE(static_cast<int>(row.operation));
      CAPTURE(catalog::name_of(dialect));
      CHECK(Place(dialect, row.endpoints).from(row.client, row.operation).kind == kind);
      // A model that does not serve it is never asked for it.
      const auto others = static_cast<uint8_t>(~row.endpoints);
      CHECK(Place(dialect, others).from(row.client, row.operation).kind == Kind::impossible);
    }
  }
}

TEST_CASE("tokens of a model are counted whichever way a conversation reaches it") {
  for (uint8_t endpoints : {chat, responses}) {
    const Place place(Dialect::openai, endpoints);
    CHECK(place.from(Wire::anthropic, Operation::count_tokens).kind == Kind::estimate);
    CHECK(place.from(Wire::gemini, Operation::count_tokens).kind == Kind::estimate);
  }
}

TEST_CASE("a body of ours goes upstream exactly in the kinds that translate") {
  for (Kind kind : {Kind::translated, Kind::embeddings, Kind::counted})
    CHECK(Crossing{kind, Wire::gemini}.translates());
  for (Kind kind : {Kind::passthrough, Kind::estimate, Kind::impossible})
    CHECK_FALSE(Crossing{kind, Wire::gemini}.translates());
}

TEST_CASE("the path at the provider is its dialect's, whoever asks") {
  const Place openai(Dialect::openai, 0xFF);
  const Place anthropic(Dialect::anthropic, 0xFF);
  const Place gemini(Dialect::gemini, 0xFF);
  for (Wire wire : wires) {
    for (bool stream : {false, true}) {
      CHECK(openai.path(wire, Operation::chat, stream) == "/chat/completions");
      CHECK(anthropic.path(wire, Operation::chat, stream) == "/messages");
    }
    CHECK(gemini.path(wire, Operation::chat, false) == "/models/the-name:generateContent");
    CHECK(gemini.path(wire, Operation::chat, true) ==
          "/models/the-name:streamGenerateContent?alt=sse");
    CHECK(gemini.path(wire, Operation::chat, true, true) ==
          "/models/the-name:streamGenerateContent");
  }
  Place both(Dialect::openai, 0xFF);
  both.provider.speaks_responses = true;
  CHECK(both.path(Wire::openai_responses, Operation::chat, true) == "/responses");
  constexpr Wire chat_wire = Wire::openai_chat;
  CHECK(openai.path(chat_wire, Operation::completions, true) == "/completions");
  CHECK(openai.path(chat_wire, Operation::embeddings, false) == "/embeddings");
  CHECK(openai.path(chat_wire, Operation::moderations, false) == "/moderations");
  CHECK(gemini.path(chat_wire, Operation::embeddings, false) ==
        "/models/the-name:batchEmbedContents");
  CHECK(anthropic.path(Wire::anthropic, Operation::count_tokens, false) ==
        "/messages/count_tokens");
  CHECK(gemini.path(Wire::anthropic, Operation::count_tokens, false) ==
        "/models/the-name:countTokens");
  CHECK(gemini.path(Wire::gemini, Operation::count_tokens, false) ==
        "/models/the-name:countTokens");
}

TEST_CASE("a path that does not fit, or that a provider does not have, is none") {
  const Place openai(Dialect::openai, 0xFF);
  const Place gemini(Dialect::gemini, 0xFF);
  for (size_t capacity = 0; capacity < 11; ++capacity)
    CHECK(openai.path(Wire::openai_chat, Operation::embeddings, false, false, capacity).empty());
  CHECK(openai.path(Wire::openai_chat, Operation::embeddings, false, false, 11) == "/embeddings");
  CHECK(openai.path(Wire::openai_chat, Operation::chat, false, false, 16).empty());
  const std::string whole = gemini.path(Wire::gemini, Operation::chat, true);
  for (bool as_array : {false, true})
    CHECK(gemini.path(Wire::gemini, Operation::chat, true, as_array, whole.size() - 1).empty());
  CHECK(openai.path(Wire::anthropic, Operation::count_tokens, false).empty());
}
