#include "simulator/gemini.h"

#include <algorithm>

#include "json/writer.h"
#include "simulator/answer_text.h"

namespace hyperion::simulator {
namespace gemini {
namespace {

using http::Method;

constexpr Route routes[] = {
    {Method::post, "/v1beta/models/", true, true, answer_method},
    {Method::post, "/v1/models/", true, true, answer_method},
    {Method::post, "/v1/projects/", true, true, answer_method},
    {Method::post, "/v1beta1/projects/", true, true, answer_method},
    {Method::get, "/v1beta/models", false, false, answer_models},
    {Method::get, "/v1beta/models/", true, false, answer_model},
    {Method::get, "/v1/models", false, false, answer_models, "x-goog-api-key"},
    {Method::get, "/v1/models/", true, false, answer_model, "x-goog-api-key"},
};

constexpr std::string_view head_lines =
    "server-timing: gfet4t7; dur=7\r\n"
    "vary: Origin\r\n"
    "x-gemini-service-tier: standard\r\n"
    "alt-svc: h3=\":443\"; ma=2592000\r\n";

struct Status {
  uint16_t code;
  const char* name;
  const char* message;
};

constexpr Status statuses[] = {
    {500, "INTERNAL", "An internal error has occurred. Please retry."},
    {400, "INVALID_ARGUMENT", "Request contains an invalid argument."},
    {401, "UNAUTHENTICATED",
     "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
     "or other valid authentication credential."},
    {402, "FAILED_PRECONDITION", "The simulated account has no billing."},
    {403, "PERMISSION_DENIED", "The caller does not have permission"},
    {404, "NOT_FOUND", "Requested entity was not found."},
    {405, "UNIMPLEMENTED", "The simulated method is not allowed."},
    {408, "CANCELLED", "The simulated provider waited too long for you."},
    {409, "ABORTED", "The simulated operation was aborted."},
    {413, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."},
    {422, "INVALID_ARGUMENT", "The simulated provider cannot use this request."},
    {429, "RESOURCE_EXHAUSTED", "You exceeded your current quota: the simulated rate is reached."},
    {502, "UNAVAILABLE", "The simulated server got no answer from behind it."},
    {503, "UNAVAILABLE", "The model is overloaded. Please try again later."},
    {504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."},
    {529, "UNAVAILABLE", "The simulated provider is overloaded."},
};

constexpr std::string_view rate_violation =
    R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":)"
    R"("GenerateRequestsPerMinutePerProjectPerModel"}]})";
constexpr int64_t retry_default_ms = 1000;
constexpr std::string_view quota_details =
    R"([{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":)"
    R"("GenerateRequestsPerDayPerProjectPerModel"}]}])";
constexpr std::string_view key_details =
    R"([{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":)"
    R"("googleapis.com","metadata":{"service":"generativelanguage.googleapis.com"}}])";

const Status& status_of(uint16_t code) {
  for (const Status& status : statuses) {
    if (status.code == code) return status;
  }
  return statuses[0];
}

std::string error_text(const Status& status, std::string_view message, std::string_view details) {
  char buffer[8192];
  json::Writer writer(buffer, sizeof(buffer));
  writer.begin_object();
  writer.key("error");
  writer.begin_object();
  writer.member("code", static_cast<uint64_t>(status.code));
  writer.member("message", message);
  writer.member("status", status.name);
  if (!details.empty()) {
    writer.key("details");
    writer.raw(details);
  }
  writer.end_object();
  writer.end_object();
  return writer.complete() ? std::string(writer.text()) : "{\"error\":{}}";
}

void write_error_with(uint16_t code, std::string_view message, std::string_view details,
                      Answer& answer) {
  const Status& status = status_of(code);
  answer.clear();
  answer.status = code;
  append_pretty(answer.body,
                error_text(status, message.empty() ? status.message : message, details));
  answer.body += '\n';
}

void write_quota_error(Answer& answer) {
  write_error_with(429, "You exceeded your current quota, please check your plan and billing.",
                   quota_details, answer);
}

void write_stream_error(const Generation& generation, std::string& out) {
  const std::string error = error_text(status_of(503), status_of(503).message, {});
  if (generation.form == EventForm::array) {
    out += generation.position == 0 ? "[" : "\n,\n";
    append_pretty(out, error);
    out += "\n]";
    return;
  }
  out += "data: ";
  append_spaced(out, error);
  out += "\r\n\r\n";
}

// Of a rate that is used up, and of what the request asked to be told of its delay.
std::string details_of(const ErrorReply& error) {
  const bool limited = error.status == 429;
  if (!limited && error.retry_ms < 0) return {};
  std::string details = limited ? "[" + std::string(rate_violation) + "," : "[";
  details += R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":")";
  append_seconds(details,
                 static_cast<uint64_t>(error.retry_ms >= 0 ? error.retry_ms : retry_default_ms));
  return details + "\"}]";
}

std::string_view key_of_query(std::string_view query) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    if (pair.starts_with("key=")) return pair.substr(4);
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
  }
  return {};
}

// A key that begins with "invalid" is one.
bool admit(const Call& call, Answer& answer) {
  std::string_view key = call.head->headers.find("x-goog-api-key");
  if (key.empty()) key = key_of_query(call.head->query);
  if (key.empty() && has_bearer_key(*call.head)) return true;
  if (!key.empty() && !key.starts_with("invalid")) return true;
  if (is_vertex(call)) {
    write_error({401, {}, {}, {}}, answer);
  } else {
    write_error_with(400, "API key not valid. Please pass a valid API key.", key_details, answer);
  }
  return false;
}

void new_line(std::string& out, int depth) {
  out += '\n';
  out.append(static_cast<size_t>(depth) * 2, ' ');
}

size_t end_of_string(std::string_view text, size_t begin) {
  size_t at = begin + 1;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

}  // namespace

void write_error(const ErrorReply& error, Answer& answer) {
  write_error_with(error.status, error.message, details_of(error), answer);
}

bool refuse(Answer& answer, const std::string& message) {
  write_error({400, {}, {}, std::string_view(message).substr(0, 1024)}, answer);
  return false;
}

bool is_vertex(const Call& call) { return call.head->path.find("/projects/") != std::string::npos; }

const catalog::Model* find_model(const Call& call, std::string_view method, Answer& answer) {
  const std::string_view name = call.path_model;
  const catalog::Model* model = call.models->find(name);
  if (model != nullptr && model->id.starts_with("gem")) return model;
  const std::string message = "models/" + std::string(name.substr(0, 256)) +
                              " is not found for API version v1beta, or is not supported for " +
                              std::string(method.substr(0, 64)) +
                              ". Call ListModels to see the list of available models and their "
                              "supported methods.";
  write_error({404, {}, {}, message}, answer);
  return nullptr;
}

void append_pretty(std::string& out, std::string_view json) {
  int depth = 0;
  for (size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '"') {
      const size_t end = end_of_string(json, at);
      out += json.substr(at, end - at);
      at = end - 1;
    } else if (c == '{' || c == '[') {
      out += c;
      if (at + 1 < json.size() && (json[at + 1] == '}' || json[at + 1] == ']')) {
        out += json[++at];
      } else {
        new_line(out, ++depth);
      }
    } else if (c == '}' || c == ']') {
      new_line(out, --depth);
      out += c;
    } else if (c == ',') {
      out += c;
      new_line(out, depth);
    } else {
      out += c;
      if (c == ':') out += ' ';
    }
  }
}

void append_spaced(std::string& out, std::string_view json) {
  for (size_t at = 0; at < json.size(); ++at) {
    if (json[at] == '"') {
      const size_t end = end_of_string(json, at);
      out += json.substr(at, end - at);
      at = end - 1;
      continue;
    }
    out += json[at];
    if (json[at] == ':') out += ' ';
  }
}

void answer_method(const Call& call, Answer& answer) {
  const std::string_view path = call.head->path;
  const size_t colon = path.rfind(':');
  const std::string_view method = colon == path.npos ? std::string_view() : path.substr(colon + 1);
  if (method == "generateContent") {
    generate(call, false, answer);
  } else if (method == "streamGenerateContent") {
    generate(call, true, answer);
  } else if (method == "countTokens") {
    count(call, answer);
  } else if (method == "embedContent") {
    embed(call, false, answer);
  } else if (method == "batchEmbedContents") {
    embed(call, true, answer);
  } else {
    write_error({404, {}, {}, {}}, answer);
  }
}

}  // namespace gemini

const Dialect gemini_dialect = {
    .name = "gemini",
    .routes = gemini::routes,
    .head_lines = gemini::head_lines,
    .limit_lines = {},
    .write_limit = nullptr,
    .limit_in_retry_after = false,
    .json_type = "content-type: application/json; charset=UTF-8\r\n",
    .stream_type = "content-type: text/event-stream\r\n",
    .id_name = {},
    .success_retry_after_s = 0,
    .admit = gemini::admit,
    .write_error = gemini::write_error,
    .write_quota_error = gemini::write_quota_error,
    .write_stream_error = gemini::write_stream_error,
};

}  // namespace hyperion::simulator
