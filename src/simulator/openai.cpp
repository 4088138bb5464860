#include "simulator/openai.h"

#include <string>

#include "json/cursor.h"
#include "json/writer.h"
#include "simulator/answer_text.h"
#include "simulator/openai_responses.h"

namespace hyperion::simulator {
namespace openai {
namespace {

using http::Method;

constexpr Route routes[] = {
    {Method::post, "/v1/chat/completions", false, true, answer_chat},
    {Method::post, "/v1/completions", false, true, answer_completion},
    {Method::post, "/v1/responses", false, true, answer_response},
    {Method::post, "/v1/embeddings", false, true, answer_embeddings},
    {Method::post, "/v1/moderations", false, true, answer_moderation},
    {Method::get, "/v1/models", false, false, answer_models},
    {Method::get, "/v1/models/", true, false, answer_model},
};

// As recorded; the cookie and the organisation are there because a gateway must not pass them on.
constexpr std::string_view head_lines =
    "openai-version: 2020-10-01\r\n"
    "openai-processing-ms: 7\r\n"
    "openai-organization: simulated-organisation\r\n"
    "set-cookie: __cf_bm=simulated; path=/; HttpOnly; Secure\r\n";
constexpr std::string_view limit_lines =
    "x-ratelimit-limit-requests: 10000\r\n"
    "x-ratelimit-limit-tokens: 30000000\r\n"
    "x-ratelimit-remaining-requests: 9999\r\n"
    "x-ratelimit-remaining-tokens: 29999975\r\n"
    "x-ratelimit-reset-requests: 6ms\r\n"
    "x-ratelimit-reset-tokens: 0s\r\n";

void write_limit(std::string& out, uint64_t reset_s, uint64_t) {
  out +=
      "x-ratelimit-limit-requests: 10000\r\n"
      "x-ratelimit-limit-tokens: 30000000\r\n"
      "x-ratelimit-remaining-requests: 0\r\n"
      "x-ratelimit-remaining-tokens: 29999975\r\n"
      "x-ratelimit-reset-requests: ";
  append_go_duration(out, reset_s);
  out += "\r\nx-ratelimit-reset-tokens: 0s\r\n";
}

struct DefaultError {
  uint16_t status;
  const char* type;
  const char* code;  // nullptr: null
  const char* message;
};

constexpr DefaultError default_errors[] = {
    {400, "invalid_request_error", nullptr, "The simulated provider refuses this request."},
    {401, "invalid_request_error", "invalid_api_key",
     "The simulated provider refuses this API key."},
    {402, "insufficient_quota", "credit_balance_exhausted",
     "The simulated account has no credit left."},
    {403, "invalid_request_error", "unsupported_country_region_territory",
     "The simulated provider does not serve this region."},
    {404, "invalid_request_error", "model_not_found",
     "The simulated provider has no such model, or you have no access to it."},
    {405, "invalid_request_error", "method_not_supported", "This path has no such method."},
    {408, "invalid_request_error", nullptr, "The simulated provider waited too long for you."},
    {409, "invalid_request_error", nullptr, "The simulated resource is locked: try again."},
    {413, "invalid_request_error", nullptr,
     "The simulated provider does not take a body of this size."},
    {422, "invalid_request_error", nullptr, "The simulated provider cannot use this request."},
    {429, "requests", "rate_limit_exceeded",
     "The simulated rate limit is reached. Try again later."},
    {500, "server_error", nullptr, "The simulated server had an error."},
    {502, "server_error", nullptr, "The simulated server got no answer from behind it."},
    {503, "server_error", nullptr, "The simulated engine is overloaded. Try again later."},
    {504, "server_error", nullptr, "The simulated server timed out."},
    {529, "overloaded_error", nullptr, "The simulated provider is overloaded."},
};

const DefaultError& default_error(uint16_t status) {
  for (const DefaultError& error : default_errors) {
    if (error.status == status) return error;
  }
  return default_errors[0];
}

bool admit(const Call& call, Answer& answer) {
  if (has_bearer_key(*call.head)) return true;
  write_error({401, "invalid_api_key", {}, "No API key was given: send it as a bearer token."},
              answer);
  return false;
}

void write_quota_error(Answer& answer) {
  answer.clear();
  answer.status = 429;
  answer.body =
      "{\"error\":{\"message\":\"You exceeded your current quota: the simulated account is "
      "empty.\","
      "\"type\":\"insufficient_quota\",\"param\":null,\"code\":\"insufficient_quota\"}}";
}

// As the provider ends a response that failed: an error, and the response as it stands.
void write_named_stream_error(const Generation& generation, std::string& out) {
  constexpr std::string_view message = "The simulated server had an error.";
  out += "event: error\ndata: {\"type\":\"error\",\"sequence_number\":";
  append_number(out, generation.position);
  out += ",\"error\":{\"type\":\"server_error\",\"code\":\"server_error\",\"message\":\"";
  out += message;
  out += "\",\"param\":null}}\n\nevent: response.failed\ndata: {\"type\":\"response.failed\",";
  out += "\"sequence_number\":";
  append_number(out, int64_t{generation.position} + 1);
  out += ",\"response\":{\"object\":\"response\",\"status\":\"failed\",\"error\":{\"code\":";
  out += "\"server_error\",\"message\":\"";
  out += message;
  out += "\"},\"model\":\"" + generation.model->id + "\",\"output\":[],\"usage\":null}}\n\n";
}

void write_stream_error(const Generation& generation, std::string& out) {
  if (generation.named_events) {
    write_named_stream_error(generation, out);
    return;
  }
  out +=
      "data: {\"error\":{\"message\":\"The simulated server had an error in the middle of the "
      "answer.\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n";
}

}  // namespace

void write_error(const ErrorReply& error, Answer& answer) {
  const DefaultError& known = default_error(error.status);
  answer.clear();
  answer.status = error.status;
  if (error.status == 429) answer.retry_after_s = 1;
  answer.should_not_retry = error.status == 400 || error.status == 401;
  // A message may quote a request's model: 256 bytes, six for each at most.
  char buffer[4096];
  json::Writer writer(buffer, sizeof(buffer));
  auto text_or_null = [&](std::string_view name, std::string_view text) {
    writer.key(name);
    if (text.empty()) {
      writer.null();
    } else {
      writer.value(text);
    }
  };
  std::string_view code = error.code;
  if (code.empty() && error.message.empty() && known.code != nullptr) code = known.code;
  writer.begin_object();
  writer.key("error");
  writer.begin_object();
  writer.member("message", error.message.empty() ? std::string_view(known.message) : error.message);
  writer.member("type", known.type);
  text_or_null("param", error.param);
  text_or_null("code", code);
  writer.end_object();
  writer.end_object();
  answer.body = writer.complete() ? writer.text() : std::string_view("{\"error\":{}}");
}

const catalog::Model* find_model(const Call& call, unsigned endpoints, Answer& answer) {
  const std::string_view name = call.model_name();
  if (name.empty()) {
    write_error({400, "missing_required_parameter", "model",
                 "The model is missing: give its name as a string."},
                answer);
    return nullptr;
  }
  const catalog::Model* model = call.models->find(name);
  const std::string_view shown = name.substr(0, 256);
  if (model == nullptr) {
    const std::string message = "The simulated provider has no model `" + std::string(shown) + "`.";
    write_error({404, "model_not_found", {}, message}, answer);
  } else if ((model->endpoints & endpoints) == 0) {
    const std::string message =
        "The model `" + std::string(shown) + "` is not served at this endpoint.";
    write_error({404, {}, "model", message}, answer);
    model = nullptr;
  }
  return model;
}

bool read_count(const Call& call, json::Key key, uint32_t max, uint32_t otherwise, uint32_t& count,
                Answer& answer) {
  count = otherwise;
  const std::string_view raw = call.raw(key);
  if (raw.empty() || raw == "null") return true;
  int64_t number = 0;
  json::Cursor cursor(raw);
  const bool integer = cursor.read_integer(number);
  if (integer && number >= 1 && number <= max) {
    count = static_cast<uint32_t>(number);
    return true;
  }
  const std::string message =
      "Expected an integer from 1 to " + std::to_string(max) + " for this parameter.";
  write_error({400, integer ? "invalid_value" : "invalid_type", json::name_of(key), message},
              answer);
  return false;
}

bool read_limit(const Call& call, Generation& generation, Answer& answer) {
  constexpr uint32_t any = 1'000'000'000;
  uint32_t limit = 0;
  uint32_t older_limit = 0;
  if (!read_count(call, json::Key::max_completion_tokens, any, any, limit, answer)) return false;
  if (!read_count(call, json::Key::max_tokens, any, any, older_limit, answer)) return false;
  if (!read_count(call, json::Key::n, 128, 1, generation.choices, answer)) return false;
  if (older_limit < limit) limit = older_limit;
  generation.length_reached = limit < generation.tokens;
  if (generation.length_reached) generation.tokens = limit;
  return true;
}

bool check_context(const catalog::Model& model, uint64_t tokens, Answer& answer) {
  if (model.context_tokens == 0 || tokens <= model.context_tokens) return true;
  const std::string message = "The input of " + std::to_string(tokens) +
                              " tokens exceeds the model's context of " +
                              std::to_string(model.context_tokens) + " tokens.";
  write_error({400, "context_length_exceeded", "messages", message}, answer);
  return false;
}

uint32_t completion_tokens(const Generation& generation) {
  return generation.tokens * generation.choices;
}

void append_usage(const Generation& generation, bool details, std::string& out) {
  const int64_t sign = generation.negative_usage ? -1 : 1;
  const int64_t output = completion_tokens(generation);
  out += "\"usage\":{\"prompt_tokens\":";
  append_number(out, sign * generation.input_tokens);
  out += ",\"completion_tokens\":";
  append_number(out, sign * output);
  out += ",\"total_tokens\":";
  append_number(out, sign * (generation.input_tokens + output));
  if (details) {
    out +=
        ",\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
        "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,"
        "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}";
  }
  out += '}';
}

std::string_view find_value(std::string_view object, std::string_view key) {
  json::Cursor cursor(object);
  if (!cursor.enter_object()) return {};
  std::string_view name;
  while (cursor.next_key(name)) {
    if (name == key) {
      std::string_view value;
      return cursor.read_raw(value) ? value : std::string_view();
    }
    if (!cursor.skip()) return {};
  }
  return {};
}

}  // namespace openai

const Dialect openai_dialect = {
    .name = "openai",
    .routes = openai::routes,
    .head_lines = openai::head_lines,
    .limit_lines = openai::limit_lines,
    .write_limit = openai::write_limit,
    .limit_in_retry_after = false,
    .json_type = "content-type: application/json\r\n",
    .stream_type = "content-type: text/event-stream; charset=utf-8\r\n",
    .id_name = "x-request-id",
    .success_retry_after_s = 0,
    .admit = openai::admit,
    .write_error = openai::write_error,
    .write_quota_error = openai::write_quota_error,
    .write_stream_error = openai::write_stream_error,
};

}  // namespace hyperion::simulator
