// What OpenAI's schema demands of an answer of Chat Completions, as far as Hyperion writes it.
//
// The rules of components ChatCompletion, ChatCompletionChunk, CompletionUsage and Error, for tests
// without a schema validator: required keys, types, the closed lists of words. Stricter than the
// schema where OpenAI's own answers are: every choice has `logprobs`, every message `refusal`.
#pragma once

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "support/json_reader.h"

namespace hyperion::test {

inline bool is_text(const Json& value) { return value.is(Json::Kind::string); }
inline bool is_text_or_null(const Json* value) {
  return value != nullptr && (is_text(*value) || value->is(Json::Kind::null));
}
inline bool is_whole(const Json& value) {
  return value.is(Json::Kind::number) && value.text.find_first_of(".eE-") == std::string::npos;
}

inline bool is_finish_reason(const Json& value) {
  for (std::string_view word :
       {"stop", "length", "tool_calls", "content_filter", "function_call"}) {
    if (is_text(value) && value.text == word) return true;
  }
  return false;
}

inline void check_usage_shape(const Json& usage) {
  REQUIRE(usage.is(Json::Kind::object));
  for (std::string_view name : {"prompt_tokens", "completion_tokens", "total_tokens"}) {
    CHECK(is_whole(usage[name]));
  }
  CHECK(usage["total_tokens"].integer() ==
        usage["prompt_tokens"].integer() + usage["completion_tokens"].integer());
  for (std::string_view name : {"prompt_tokens_details", "completion_tokens_details"}) {
    for (const auto& [key, value] : usage[name].members) CHECK(is_whole(value));
  }
}

inline void check_annotations_shape(const Json& annotations) {
  for (const Json& each : annotations.elements) {
    CHECK(each["type"].text == "url_citation");
    const Json& citation = each["url_citation"];
    CHECK(is_whole(citation["start_index"]));
    CHECK(is_whole(citation["end_index"]));
    CHECK(is_text(citation["url"]));
    CHECK(is_text(citation["title"]));
  }
}

inline void check_top_shape(const Json& tree, std::string_view object) {
  REQUIRE(tree.is(Json::Kind::object));
  CHECK(!tree["id"].text.empty());
  CHECK(tree["object"].text == object);
  CHECK(is_whole(tree["created"]));
  CHECK(is_text(tree["model"]));
  CHECK(tree["choices"].is(Json::Kind::array));
}

inline void check_completion_shape(const Json& tree) {
  check_top_shape(tree, "chat.completion");
  CHECK(!tree["choices"].elements.empty());
  for (const Json& choice : tree["choices"].elements) {
    CHECK(is_whole(choice["index"]));
    CHECK(is_finish_reason(choice["finish_reason"]));
    REQUIRE(choice.find("logprobs") != nullptr);
    CHECK(choice["logprobs"].is(Json::Kind::null));
    const Json& message = choice["message"];
    REQUIRE(message.is(Json::Kind::object));
    CHECK(message["role"].text == "assistant");
    CHECK(is_text_or_null(message.find("content")));
    CHECK(is_text_or_null(message.find("refusal")));
    for (const Json& call : message["tool_calls"].elements) {
      CHECK(!call["id"].text.empty());
      CHECK(call["type"].text == "function");
      CHECK(is_text(call["function"]["name"]));
      CHECK(is_text(call["function"]["arguments"]));
    }
    if (const Json* call = message.find("function_call"); call != nullptr) {
      CHECK(is_text((*call)["name"]));
      CHECK(is_text((*call)["arguments"]));
    }
    check_annotations_shape(message["annotations"]);
  }
  if (const Json* usage = tree.find("usage"); usage != nullptr) check_usage_shape(*usage);
}

inline void check_chunk_shape(const Json& tree) {
  check_top_shape(tree, "chat.completion.chunk");
  for (const Json& choice : tree["choices"].elements) {
    CHECK(is_whole(choice["index"]));
    REQUIRE(choice.find("finish_reason") != nullptr);
    const Json& reason = choice["finish_reason"];
    CHECK((reason.is(Json::Kind::null) || is_finish_reason(reason)));
    REQUIRE(choice.find("logprobs") != nullptr);
    CHECK(choice["logprobs"].is(Json::Kind::null));
    const Json& delta = choice["delta"];
    REQUIRE(delta.is(Json::Kind::object));
    for (const auto& [key, value] : delta.members) {
      if (key == "content" || key == "refusal") CHECK(is_text_or_null(&value));
      if (key == "role") CHECK(value.text == "assistant");
    }
    for (const Json& call : delta["tool_calls"].elements) {
      CHECK(is_whole(call["index"]));
      CHECK(is_text(call["function"]["arguments"]));
      if (call.find("id") != nullptr) CHECK(call["type"].text == "function");
    }
    check_annotations_shape(delta["annotations"]);
  }
  const Json& usage = tree["usage"];
  if (!usage.is(Json::Kind::null)) check_usage_shape(usage);
}

inline void check_error_shape(const Json& tree) {
  const Json& error = tree["error"];
  REQUIRE(error.is(Json::Kind::object));
  CHECK(is_text(error["message"]));
  CHECK(is_text(error["type"]));
  CHECK(is_text_or_null(error.find("param")));
  CHECK(is_text_or_null(error.find("code")));
}

}  // namespace hyperion::test
