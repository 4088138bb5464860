#include "gateway/failure.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "dialect/text.h"
#include "tls/problem.h"

namespace hyperion::gateway {
namespace {

const char* type_of(uint16_t status) {
  switch (status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 429: return "rate_limit_error";
    default: return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

void copy_bounded(char* to, size_t capacity, std::string_view from) {
  size_t size = std::min(from.size(), capacity - 1);
  if (size > 0) std::memcpy(to, from.data(), size);
  to[size] = '\0';
}

// A provider's word or the name of a field: whole and without escapes, or not at all.
void copy_word(char* to, size_t capacity, std::string_view from) {
  const bool good = from.size() < capacity && from.find('\\') == std::string_view::npos;
  copy_bounded(to, capacity, good ? from : std::string_view());
}

}  // namespace

Failure make_failure(uint16_t status, const char* code, std::string_view param, const char* format,
                     ...) {
  Failure failure;
  failure.status = status;
  failure.type = type_of(status);
  failure.code = code;
  copy_bounded(failure.param, sizeof(failure.param), param);
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(failure.message, sizeof(failure.message), format, arguments);
  va_end(arguments);
  return failure;
}

Failure failure_of(const http::Rejection& rejection) {
  const char* code = "invalid_request";
  switch (rejection.status) {
    case 408: code = "request_timeout"; break;
    case 413: code = "request_too_large"; break;
    case 414:
    case 431: code = "request_head_too_large"; break;
    case 503: code = "overloaded"; break;
    default: break;
  }
  return make_failure(rejection.status, code, {}, "%s", rejection.reason);
}

Failure failure_of(const json::ScanError& error) {
  // The field "body" stands for the text itself.
  std::string_view field = error.field;
  std::string_view param = field == "body" ? std::string_view() : field;
  switch (error.code) {
    case ErrorCode::malformed_json:
      return make_failure(400, "invalid_json", {},
                          "The body is not valid JSON: expected %s, at byte %u.", error.expected,
                          error.position);
    case ErrorCode::too_large:
      return make_failure(413, "request_too_large", param, "The body is too large: expected %s.",
                          error.expected);
    default:
      return make_failure(400, "invalid_request", param, "`%s`: expected %s.", error.field,
                          error.expected);
  }
}

Failure failure_of_upstream(Error error, std::string_view provider) {
  int size = static_cast<int>(provider.size());
  const char* name = provider.data();
  switch (error.code) {
    case ErrorCode::timed_out: {
      const char* what = error.phase == Phase::connect ? "did not accept a connection"
                         : error.phase == Phase::relay ? "stopped sending"
                                                       : "did not answer";
      return make_failure(504, "upstream_timeout", {}, "Provider %.*s %s in time. Try again.", size,
                          name, what);
    }
    case ErrorCode::unauthorised: {
      Failure failure = make_failure(502, "upstream_credentials", {},
                                     "Provider %.*s refused the gateway's own key. Its operator "
                                     "must check api_key_env of that provider and its account.",
                                     size, name);
      // Clients try a 502 again by themselves; the key will be the same.
      failure.should_retry_no = true;
      return failure;
    }
    case ErrorCode::overloaded:
      return make_failure(503, "overloaded", {},
                          "Hyperion is at its memory limit. Try again in a second.");
    case ErrorCode::name_not_resolved:
      return make_failure(
          502, "all_upstreams_failed", {},
          "The host name of provider %.*s cannot be resolved. Check its base_url and the DNS.",
          size, name);
    case ErrorCode::tls_certificate:
    case ErrorCode::tls_handshake:
      return make_failure(502, "all_upstreams_failed", {},
                          "The TLS connection to provider %.*s failed: %s", size, name,
                          tls::describe(tls::problem_of(error)));
    case ErrorCode::connect_failed:
      return make_failure(502, "all_upstreams_failed", {},
                          "Provider %.*s cannot be reached (%s). Try again.", size, name,
                          name_of(error.code));
    case ErrorCode::too_many:
      if (error.phase == Phase::connect) {
        return make_failure(503, "overloaded", {},
                            "All connections to provider %.*s are busy. Try again, or raise "
                            "connections_per_shard_max.",
                            size, name);
      }
      [[fallthrough]];  // headers of its answer: malformed
    default:
      return make_failure(502, "all_upstreams_failed", {},
                          "Provider %.*s broke off or sent a malformed answer (%s). Try again.",
                          size, name, name_of(error.code));
  }
}

dialect::ErrorKind kind_of(Error error) {
  using dialect::ErrorKind;
  switch (error.code) {
    case ErrorCode::timed_out: return ErrorKind::timeout;
    case ErrorCode::unauthorised: return ErrorKind::bad_key;
    case ErrorCode::too_many:
      return error.phase == Phase::connect ? ErrorKind::overload : ErrorKind::server;
    case ErrorCode::overloaded:
    case ErrorCode::cancelled: return ErrorKind::none;
    default: return ErrorKind::server;
  }
}

bool is_own_bound(Error error) {
  return error.code == ErrorCode::overloaded || error.code == ErrorCode::cancelled ||
         (error.code == ErrorCode::too_many && error.phase == Phase::connect);
}

Failure failure_of(const dialect::RequestProblem& problem) {
  Failure failure =
      make_failure(problem.status, problem.code, problem.param, "%s", problem.message);
  if (problem.status == 503) failure.retry_after_ms = 1000;
  return failure;
}

Failure failure_of(const dialect::ProviderError& said, std::string_view provider) {
  using dialect::ErrorKind;
  const dialect::ErrorTraits& traits = dialect::traits_of(said.kind);
  const int size = static_cast<int>(provider.size());
  const char* name = provider.data();
  if (said.kind == ErrorKind::bad_key || said.kind == ErrorKind::forbidden) {
    return failure_of_upstream(make_error(ErrorCode::unauthorised), provider);
  }
  Failure failure;
  int64_t retry_after_ms = said.retry_after_ms;
  if (said.kind == ErrorKind::money) {
    failure = make_failure(traits.status, traits.code, {},
                           "The gateway's account at provider %.*s is out of credit or at a spend "
                           "limit. Its operator must raise it; waiting does not help.",
                           size, name);
    failure.should_retry_no = true;
    retry_after_ms = -1;
  } else if (said.unreadable) {
    failure = make_failure(traits.status, traits.code, {}, "Provider %.*s failed. %.*s Try again.",
                           size, name, static_cast<int>(said.message.size()), said.message.data());
  } else if (said.message.empty()) {
    failure = make_failure(traits.status, traits.code, {},
                           "Provider %.*s failed (%s) and did not say why.", size, name,
                           dialect::name_of(said.kind).data());
  } else {
    failure = make_failure(traits.status, traits.code, {}, "%s", "");
    std::string_view message = dialect::bounded_inside(said.message, sizeof(failure.message) - 1);
    copy_bounded(failure.message, sizeof(failure.message), message);
    failure.message_is_raw = true;
  }
  failure.type = traits.type;
  failure.retry_after_ms = retry_after_ms;
  failure.should_retry_no |= said.should_retry < 0;
  if (traits.client_fault) {
    copy_word(failure.param, sizeof(failure.param), said.param);
    if (traits.code == nullptr) copy_word(failure.said_code, sizeof(failure.said_code), said.code);
  }
  return failure;
}

dialect::ErrorAnswer answer_of(const Failure& failure, std::string_view request_id) {
  dialect::ErrorAnswer answer;
  answer.status = failure.status;
  if (failure.type != nullptr) answer.type = failure.type;
  if (failure.code != nullptr) answer.code = failure.code;
  if (failure.said_code[0] != '\0') answer.code = static_cast<const char*>(failure.said_code);
  answer.param = static_cast<const char*>(failure.param);
  answer.message = static_cast<const char*>(failure.message);
  answer.message_is_raw = failure.message_is_raw;
  answer.request_id = request_id;
  answer.retry_after_ms = failure.retry_after_ms;
  return answer;
}

}  // namespace hyperion::gateway
