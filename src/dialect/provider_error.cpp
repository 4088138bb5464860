#include "dialect/provider_error.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "dialect/retry_delay.h"
#include "dialect/text.h"
#include "json/cursor.h"

namespace hyperion::dialect {
namespace {

using json::Cursor;

// By ErrorKind. status, type, code, client_fault, retryable, moves_on, key_fault
constexpr ErrorTraits traits[] = {
    {500, "server_error", nullptr, false, false, false, false},  // none
    {400, "invalid_request_error", nullptr, true, false, false, false},
    {400, "invalid_request_error", "context_length_exceeded", true, false, true, false},
    {413, "invalid_request_error", "request_too_large", true, false, false, false},
    {400, "invalid_request_error", "content_filter", true, false, false, false},
    {502, "server_error", "upstream_credentials", false, false, true, true},  // bad_key
    {429, "insufficient_quota", "insufficient_quota", false, false, true, true},
    {502, "server_error", "upstream_credentials", false, false, true, true},  // forbidden
    {404, "not_found_error", "model_not_found", false, false, true, false},
    {409, "invalid_request_error", "conflict", false, true, true, false},
    {429, "rate_limit_error", "rate_limit_exceeded", false, true, true, true},
    {503, "server_error", "upstream_overloaded", false, true, true, false},
    {502, "server_error", "upstream_error", false, true, true, false},
    {504, "server_error", "upstream_timeout", false, true, true, false},
    {499, "server_error", nullptr, true, false, false, false},  // cancelled
};
static_assert(std::size(traits) == static_cast<size_t>(ErrorKind::cancelled) + 1);

struct WordRow {
  std::string_view word;
  ErrorKind kind;
};

// Words of all dialects for a kind: OpenAI's codes and types, Anthropic's types, Google's statuses
// and reasons. The more telling ones first: a code says more than a type.
constexpr WordRow word_rows[] = {
    {"insufficient_quota", ErrorKind::money},
    {"credit_balance_exhausted", ErrorKind::money},
    {"organization_spend_limit_exceeded", ErrorKind::money},
    {"project_spend_limit_exceeded", ErrorKind::money},
    {"organization_usage_limit_exceeded", ErrorKind::money},
    {"billing_hard_limit_reached", ErrorKind::money},
    {"enforced_spend_limit_reached", ErrorKind::money},
    {"contract_spend_limit_reached", ErrorKind::money},
    {"billing_error", ErrorKind::money},
    {"context_length_exceeded", ErrorKind::context_too_long},
    {"model_not_found", ErrorKind::no_model},
    {"DeploymentNotFound", ErrorKind::no_model},
    {"content_filter", ErrorKind::content_policy},
    {"content_policy_violation", ErrorKind::content_policy},
    {"API_KEY_INVALID", ErrorKind::bad_key},
    {"invalid_api_key", ErrorKind::bad_key},
    {"request_too_large", ErrorKind::too_large},
    {"rate_limit_exceeded", ErrorKind::rate_limit},
    {"slow_down", ErrorKind::rate_limit},
    {"ramp_limit_exceeded", ErrorKind::rate_limit},
    {"overloaded_error", ErrorKind::overload},
    {"rate_limit_error", ErrorKind::rate_limit},
    {"authentication_error", ErrorKind::bad_key},
    {"permission_error", ErrorKind::forbidden},
    {"not_found_error", ErrorKind::no_model},
    {"conflict_error", ErrorKind::conflict},
    {"timeout_error", ErrorKind::timeout},
    {"api_error", ErrorKind::server},
    {"server_error", ErrorKind::server},
    {"UNAUTHENTICATED", ErrorKind::bad_key},
    {"PERMISSION_DENIED", ErrorKind::forbidden},
    {"NOT_FOUND", ErrorKind::no_model},
    {"RESOURCE_EXHAUSTED", ErrorKind::rate_limit},
    {"UNAVAILABLE", ErrorKind::overload},
    {"INTERNAL", ErrorKind::server},
    {"DEADLINE_EXCEEDED", ErrorKind::timeout},
    {"ABORTED", ErrorKind::conflict},
    {"CANCELLED", ErrorKind::cancelled},
    {"INVALID_ARGUMENT", ErrorKind::invalid_request},
    {"FAILED_PRECONDITION", ErrorKind::invalid_request},
    {"invalid_request_error", ErrorKind::invalid_request},
};

// Where a kind has no word of its own, the message says it (as recorded). Only of a refusal that
// would be the client's fault, or of a rate limit.
constexpr WordRow phrases[] = {
    {"prompt is too long", ErrorKind::context_too_long},
    {"exceeds the maximum number of tokens", ErrorKind::context_too_long},
    {"exceeds the context window", ErrorKind::context_too_long},
    {"maximum context length", ErrorKind::context_too_long},
    {"context_length_exceeded", ErrorKind::context_too_long},
    {"API key not valid", ErrorKind::bad_key},
    {"credit balance is too low", ErrorKind::money},
    {"reached your specified API usage limits", ErrorKind::money},
    {"specified workspace API usage limits", ErrorKind::money},
};

// A quota of Google's that a day must pass for.
constexpr std::string_view daily_quota = "PerDay";

ErrorKind kind_of_status(uint16_t status) {
  switch (status) {
    case 401: return ErrorKind::bad_key;
    case 402: return ErrorKind::money;
    case 403: return ErrorKind::forbidden;
    case 404: return ErrorKind::no_model;
    case 408:
    case 504: return ErrorKind::timeout;
    case 409: return ErrorKind::conflict;
    case 413: return ErrorKind::too_large;
    case 429: return ErrorKind::rate_limit;
    case 499: return ErrorKind::cancelled;
    case 503:
    case 529: return ErrorKind::overload;
    default: return status >= 400 && status < 500 ? ErrorKind::invalid_request : ErrorKind::server;
  }
}

uint16_t status_of_kind(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::overload: return 503;
    case ErrorKind::server: return 500;
    case ErrorKind::bad_key: return 401;
    case ErrorKind::forbidden: return 403;
    case ErrorKind::money: return 402;
    default: return traits_of(kind).status;
  }
}

// Everything an error object may say, of whichever dialect.
struct Words {
  std::string_view message, type, code, param;
  std::string_view status;      // Google's
  std::string_view reason;      // of Google's ErrorInfo, of Anthropic's details.error_code
  std::string_view retry_text;  // "48s"
  int64_t number = 0;           // a numeric code
};

void read_text(Cursor& cursor, std::string_view& text) {
  if (cursor.peek() != '"') {
    cursor.skip();
    return;
  }
  cursor.read_string(text);
}

void read_detail_object(Cursor& cursor, Words& words) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "reason" || key == "error_code") {
      read_text(cursor, words.reason);
    } else if (key == "retryDelay") {
      read_text(cursor, words.retry_text);
    } else {
      cursor.skip();
    }
  }
}

// Google has a list of typed objects, Anthropic one object.
void read_details(Cursor& cursor, Words& words) {
  if (cursor.peek() == '{') {
    read_detail_object(cursor, words);
    return;
  }
  if (!cursor.enter_array()) {
    cursor.skip();
    return;
  }
  while (cursor.next_element()) read_detail_object(cursor, words);
}

// A sentence, or where it is deeper: [{"loc": [..], "msg": ".."}], an object around such a list.
// The first one counts.
void read_message(Cursor& cursor, std::string_view& message, int depth) {
  const char next = cursor.peek();
  if (next == '[' && depth < 3) {
    cursor.enter_array();
    while (cursor.next_element()) {
      std::string_view inner;
      read_message(cursor, inner, depth + 1);
      if (message.empty()) message = inner;
    }
  } else if (next == '{' && depth < 3) {
    cursor.enter_object();
    std::string_view key, inner;
    while (cursor.next_key(key)) {
      if (key == "msg" || key == "message" || key == "detail") {
        read_message(cursor, inner, depth + 1);
      } else {
        cursor.skip();
      }
    }
    if (message.empty()) message = inner;
  } else {
    read_text(cursor, message);
  }
}

// One object of an error, at whichever depth: {"error": {...}} holds another, xAI has the text in
// `error`, Mistral in `detail` or `message` at the top.
void read_object(Cursor& cursor, Words& words, int depth) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    const char next = cursor.peek();
    if (key == "error" && next == '{' && depth < 2) {
      read_object(cursor, words, depth + 1);
    } else if (key == "error" || key == "detail" || key == "message") {
      read_message(cursor, words.message, 0);
    } else if (key == "type" && (depth > 0 || words.type.empty())) {
      read_text(cursor, words.type);
    } else if (key == "code" && next != '"') {
      cursor.read_integer(words.number);
    } else if (key == "code") {
      read_text(cursor, words.code);
    } else if (key == "param") {
      read_text(cursor, words.param);
    } else if (key == "status") {
      read_text(cursor, words.status);
    } else if (key == "details") {
      read_details(cursor, words);
    } else {
      cursor.skip();
    }
  }
}

// Of any text: an object, an array around one (Google's), or nothing we know.
Words read_words(std::string_view body) {
  Words words;
  Cursor cursor(body);
  if (cursor.peek() == '[') {
    cursor.enter_array();
    if (!cursor.next_element()) return words;
  }
  if (cursor.peek() == '{') read_object(cursor, words, 0);
  return words;
}

ErrorKind kind_of_word(std::string_view word) {
  if (word.empty()) return ErrorKind::none;
  for (const WordRow& row : word_rows) {
    if (row.word == word) return row.kind;
  }
  return ErrorKind::none;
}

ErrorKind kind_of_words(const Words& words) {
  for (std::string_view word : {words.reason, words.code, words.type, words.status}) {
    ErrorKind kind = kind_of_word(word);
    if (kind != ErrorKind::none) return kind;
  }
  return ErrorKind::none;
}

ErrorKind refine(ErrorKind kind, const Words& words, std::string_view body) {
  if (kind == ErrorKind::invalid_request) {
    for (const WordRow& row : phrases) {
      if (words.message.find(row.word) != std::string_view::npos) return row.kind;
    }
  }
  // Only Google names its quotas like this.
  const bool daily = kind == ErrorKind::rate_limit && !words.status.empty() &&
                     body.find(daily_quota) != std::string_view::npos;
  return daily ? ErrorKind::money : kind;
}

// The bytes of a JSON escape of this character at the beginning of `text`; 0: there is none.
size_t escape_of(std::string_view text, char character) {
  if (text.size() < 2 || text[0] != '\\') return 0;
  if (text[1] == character) return 2;
  if (text[1] != 'u' || text.size() < 6) return 0;
  unsigned code = 0;
  const auto [end, failure] = std::from_chars(text.data() + 2, text.data() + 6, code, 16);
  const bool whole = failure == std::errc() && end == text.data() + 6;
  return whole && code == static_cast<unsigned char>(character) ? 6 : 0;
}

ProviderError error_of(const Words& words) {
  ProviderError error;
  // The body may be anything; the message goes into a JSON text of ours as it is.
  if (is_inside(words.message)) error.message = words.message;
  error.type = words.type.empty() || words.type == "error" ? words.status : words.type;
  error.code = words.code.empty() ? words.reason : words.code;
  error.param = words.param;
  const int64_t delay = milliseconds_of_duration(words.retry_text);
  if (!words.retry_text.empty() && delay > 0) error.retry_after_ms = delay;
  return error;
}

}  // namespace

bool holds_secret(std::string_view text, std::string_view secret) {
  if (secret.empty()) return false;
  for (size_t begin = 0; begin < text.size(); ++begin) {
    size_t at = begin, matched = 0;
    while (matched < secret.size() && at < text.size()) {
      const char wanted = secret[matched];
      if (text[at] == wanted) {
        ++at;
      } else if (const size_t size = escape_of(text.substr(at), wanted); size != 0) {
        at += size;
      } else {
        break;
      }
      ++matched;
    }
    if (matched == secret.size()) return true;
  }
  return false;
}

const ErrorTraits& traits_of(ErrorKind kind) { return traits[static_cast<size_t>(kind)]; }

std::string_view name_of(ErrorKind kind) {
  constexpr std::string_view names[] = {
      "none",       "invalid_request", "context_too_long", "too_large", "content_policy",
      "bad_key",    "money",           "forbidden",        "no_model",  "conflict",
      "rate_limit", "overload",        "server",           "timeout",   "cancelled"};
  static_assert(std::size(names) == std::size(traits));
  return names[static_cast<size_t>(kind)];
}

ProviderError read_error(Wire, uint16_t status, const http::HeaderList& headers,
                         std::string_view body) {
  const Words words = read_words(body);
  ProviderError error = error_of(words);
  error.status = status;
  const ErrorKind by_status = kind_of_status(status);
  ErrorKind kind = kind_of_words(words);
  // Words tell apart what shares a status; they never make a server's failure the client's fault.
  const bool contradicts = status >= 500 && traits_of(kind).client_fault;
  // "invalid_request_error" and "server_error" are said of many things: the status knows better.
  const bool vague = kind == ErrorKind::none || kind == ErrorKind::invalid_request ||
                     kind == ErrorKind::server || contradicts;
  if (vague) kind = by_status;
  error.kind = refine(kind, words, body);
  const int64_t delay = retry_delay_ms(status, headers);
  if (delay >= 0) error.retry_after_ms = delay;
  std::string_view should = headers.find("x-should-retry");
  if (should == "true") error.should_retry = 1;
  if (should == "false") error.should_retry = -1;
  return error;
}

ProviderError read_stream_error(Wire, std::string_view data) {
  const Words words = read_words(data);
  ProviderError error = error_of(words);
  ErrorKind kind = kind_of_words(words);
  if (kind == ErrorKind::none && words.number >= 400 && words.number < 600)
    kind = kind_of_status(static_cast<uint16_t>(words.number));
  if (kind == ErrorKind::none) kind = ErrorKind::server;
  error.kind = refine(kind, words, data);
  error.status = status_of_kind(error.kind);
  return error;
}

}  // namespace hyperion::dialect
