#include "simulator/anthropic.h"

#include <algorithm>
#include <charconv>

#include "json/writer.h"
#include "simulator/answer_text.h"

namespace hyperion::simulator {
namespace anthropic {
namespace {

using http::Method;

constexpr std::string_view version_header = "anthropic-version";

constexpr Route routes[] = {
    {Method::post, "/v1/messages", false, true, answer_messages},
    {Method::post, "/v1/messages/count_tokens", false, true, answer_count},
    {Method::get, "/v1/models", false, false, answer_models, version_header},
    {Method::get, "/v1/models/", true, false, answer_model, version_header},
};

// As recorded; the organisation is there because a gateway must not pass it on.
constexpr std::string_view head_lines = "anthropic-organization-id: simulated-organisation\r\n";
constexpr std::string_view limit_lines =
    "anthropic-ratelimit-requests-limit: 20000\r\n"
    "anthropic-ratelimit-requests-remaining: 19999\r\n"
    "anthropic-ratelimit-requests-reset: 2026-01-01T00:00:00Z\r\n"
    "anthropic-ratelimit-input-tokens-limit: 4000000\r\n"
    "anthropic-ratelimit-input-tokens-remaining: 4000000\r\n"
    "anthropic-ratelimit-input-tokens-reset: 2026-01-01T00:00:00Z\r\n"
    "anthropic-ratelimit-output-tokens-limit: 800000\r\n"
    "anthropic-ratelimit-output-tokens-remaining: 800000\r\n"
    "anthropic-ratelimit-output-tokens-reset: 2026-01-01T00:00:00Z\r\n"
    "anthropic-ratelimit-tokens-limit: 4800000\r\n"
    "anthropic-ratelimit-tokens-remaining: 4800000\r\n"
    "anthropic-ratelimit-tokens-reset: 2026-01-01T00:00:00Z\r\n";

void write_limit(std::string& out, uint64_t reset_s, uint64_t unix_s) {
  constexpr std::string_view others[] = {"input-tokens", "output-tokens", "tokens"};
  constexpr std::string_view limits[] = {"4000000", "800000", "4800000"};
  out +=
      "anthropic-ratelimit-requests-limit: 20000\r\n"
      "anthropic-ratelimit-requests-remaining: 0\r\n"
      "anthropic-ratelimit-requests-reset: ";
  append_rfc3339(out, unix_s + reset_s);
  out += "\r\n";
  for (size_t i = 0; i < std::size(others); ++i) {
    const std::string name = "anthropic-ratelimit-" + std::string(others[i]);
    out += name + "-limit: " + std::string(limits[i]) + "\r\n";
    out += name + "-remaining: " + std::string(limits[i]) + "\r\n";
    out += name + "-reset: ";
    append_rfc3339(out, unix_s);
    out += "\r\n";
  }
}

struct DefaultError {
  uint16_t status;
  const char* type;
  const char* message;
};

constexpr DefaultError default_errors[] = {
    {500, "api_error", "Internal server error"},
    {400, "invalid_request_error", "The simulated provider refuses this request."},
    {401, "authentication_error", "invalid x-api-key"},
    {402, "billing_error", "The simulated account has no credit left."},
    {403, "permission_error", "The simulated key has no permission for this."},
    {404, "not_found_error", "Not found"},
    {405, "invalid_request_error", "Method Not Allowed"},
    {408, "timeout_error", "The simulated provider waited too long for you."},
    {409, "conflict_error", "The simulated resource is locked: try again."},
    {413, "request_too_large", "Request exceeds the maximum size"},
    {422, "invalid_request_error", "The simulated provider cannot use this request."},
    {429, "rate_limit_error",
     "This request would exceed the simulated rate limit of your organization."},
    {502, "api_error", "The simulated server got no answer from behind it."},
    {503, "api_error", "The simulated server is not available."},
    {504, "timeout_error", "The simulated server timed out."},
    {529, "overloaded_error", "Overloaded"},
};

const DefaultError& default_error(uint16_t status) {
  for (const DefaultError& error : default_errors) {
    if (error.status == status) return error;
  }
  return default_errors[0];
}

void write_error_of_type(const char* type, std::string_view message, Answer& answer) {
  char id[request_id_digits];
  write_hex(id, answer.id_seed, sizeof(id));
  char buffer[8192];
  json::Writer writer(buffer, sizeof(buffer));
  writer.begin_object();
  writer.member("type", "error");
  writer.key("error");
  writer.begin_object();
  writer.member("type", type);
  writer.member("message", message);
  writer.end_object();
  writer.member("request_id", std::string_view("req_" + std::string(id, sizeof(id))));
  writer.end_object();
  answer.body = writer.complete() ? writer.text() : std::string_view("{\"type\":\"error\"}");
}

void write_quota_error(Answer& answer) {
  answer.clear();
  answer.status = 400;
  answer.should_not_retry = true;
  write_error_of_type("invalid_request_error",
                      "Your credit balance is too low to access the simulated API. Please go to "
                      "Plans & Billing to upgrade or purchase credits.",
                      answer);
}

void write_stream_error(const Generation&, std::string& out) {
  out +=
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
      "\"message\":\"Overloaded\"}}\n\n";
}

// x-api-key goes before a bearer token. A key that begins with "invalid" is one.
bool admit(const Call& call, Answer& answer) {
  const http::HeaderList& headers = call.head->headers;
  const std::string_view key = headers.find("x-api-key");
  if (key.empty() && !has_bearer_key(*call.head)) {
    write_error({401, {}, {}, "x-api-key header is required"}, answer);
    return false;
  }
  if (key.starts_with("invalid")) {
    write_error({401, {}, {}, {}}, answer);
    return false;
  }
  const std::string_view version = headers.find(version_header);
  if (version.empty()) return refuse(answer, "anthropic-version: header is required");
  if (version != "2023-06-01" && version != "2023-01-01" && version != "2026-10-21") {
    return refuse(answer, "anthropic-version: \"" + std::string(version.substr(0, 64)) +
                              "\" is not a valid version");
  }
  return true;
}

bool is_claude(const catalog::Model& model) { return model.id.starts_with("claude"); }

void append_model(const catalog::Model& model, std::string& out) {
  out += "{\"type\":\"model\",\"id\":\"" + model.id + "\",\"display_name\":\"" + model.id +
         "\",\"created_at\":\"2026-01-01T00:00:00Z\",\"max_input_tokens\":";
  append_number(out, model.context_tokens);
  out += ",\"max_tokens\":";
  append_number(out, model.output_tokens_max);
  out += ",\"capabilities\":{\"effort\":{\"supported\":";
  out += model.efforts.any() ? "true" : "false";
  for (catalog::Effort effort :
       {catalog::Effort::low, catalog::Effort::medium, catalog::Effort::high,
        catalog::Effort::xhigh, catalog::Effort::max}) {
    out += ",\"" + std::string(catalog::name_of(effort)) + "\":{\"supported\":";
    out += model.efforts.has(effort) ? "true}" : "false}";
  }
  out += "}}}";
}

// A number of the query; `otherwise` where it is absent or none.
uint32_t query_number(std::string_view query, std::string_view name, uint32_t otherwise) {
  const size_t at = query.find(std::string(name) + "=");
  if (at == std::string_view::npos) return otherwise;
  const char* begin = query.data() + at + name.size() + 1;
  uint32_t number = 0;
  const auto result = std::from_chars(begin, query.data() + query.size(), number);
  return result.ec == std::errc{} ? number : otherwise;
}

std::string_view query_text(std::string_view query, std::string_view name) {
  const size_t at = query.find(std::string(name) + "=");
  if (at == std::string_view::npos) return {};
  query.remove_prefix(at + name.size() + 1);
  return query.substr(0, query.find('&'));
}

}  // namespace

void write_error(const ErrorReply& error, Answer& answer) {
  const DefaultError& known = default_error(error.status);
  answer.clear();
  answer.status = error.status;
  if (error.status == 429) answer.retry_after_s = 1;
  answer.should_not_retry = error.status == 400 || error.status == 401;
  write_error_of_type(
      known.type, error.message.empty() ? std::string_view(known.message) : error.message, answer);
}

bool refuse(Answer& answer, const std::string& message) {
  write_error({400, {}, {}, std::string_view(message).substr(0, 1024)}, answer);
  return false;
}

void answer_models(const Call& call, Answer& answer) {
  const uint32_t limit = std::clamp(query_number(call.head->query, "limit", 20), 1u, 1000u);
  const std::string_view after = query_text(call.head->query, "after_id");
  std::string& out = answer.body;
  out = "{\"data\":[";
  std::string first;
  std::string last;
  uint32_t count = 0;
  bool begun = after.empty();
  bool more = false;
  for (const catalog::Model* model : call.models->all()) {
    if (!is_claude(*model)) continue;
    if (!begun) {
      begun = model->id == after;
      continue;
    }
    more = count == limit;
    if (more) break;
    if (count++ != 0) out += ',';
    if (first.empty()) first = model->id;
    last = model->id;
    append_model(*model, out);
  }
  auto id_or_null = [](const std::string& id) { return id.empty() ? "null" : '"' + id + '"'; };
  out += std::string("],\"has_more\":") + (more ? "true" : "false") +
         ",\"first_id\":" + id_or_null(first) + ",\"last_id\":" + id_or_null(last) + "}";
}

void answer_model(const Call& call, Answer& answer) {
  const catalog::Model* model = call.models->find(call.tail);
  if (model == nullptr || !is_claude(*model)) {
    const std::string message = "model: " + std::string(call.tail.substr(0, 256));
    write_error({404, {}, {}, message}, answer);
    return;
  }
  append_model(*model, answer.body);
}

}  // namespace anthropic

const Dialect anthropic_dialect = {
    .name = "anthropic",
    .routes = anthropic::routes,
    .head_lines = anthropic::head_lines,
    .limit_lines = anthropic::limit_lines,
    .write_limit = anthropic::write_limit,
    .limit_in_retry_after = true,
    .json_type = "content-type: application/json\r\n",
    .stream_type = "content-type: text/event-stream; charset=utf-8\r\n",
    .id_name = "request-id",
    .success_retry_after_s = 27,
    .admit = anthropic::admit,
    .write_error = anthropic::write_error,
    .write_quota_error = anthropic::write_quota_error,
    .write_stream_error = anthropic::write_stream_error,
};

}  // namespace hyperion::simulator
