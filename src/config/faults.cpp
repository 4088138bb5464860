#include "config/faults.h"

#include <algorithm>

namespace hyperion::config {
namespace {

constexpr uint16_t statuses[] = {400, 401, 402, 403, 404, 408, 409, 413,
                                 422, 429, 500, 502, 503, 504, 529};

constexpr FaultRow table[] = {
    {FaultKind::status, "CODE", "", ArgumentUse::none,
     "answers that status with an error body of the dialect; 429 with retry-after"},
    {FaultKind::reset, "reset", "", ArgumentUse::none,
     "breaks the connection off without a byte of an answer"},
    {FaultKind::stall, "stall", "N", ArgumentUse::optional,
     "never answers; with N: falls silent for ever after N events"},
    {FaultKind::cut, "cut", "N", ArgumentUse::required,
     "closes after N events, or in the middle of a plain answer"},
    {FaultKind::cut_bytes, "cutbytes", "N", ArgumentUse::required,
     "closes after N bytes of the body"},
    {FaultKind::slow, "slow", "MS", ArgumentUse::required,
     "waits MS milliseconds before the first token, or before a plain answer"},
    {FaultKind::gap, "gap", "MS", ArgumentUse::required, "waits MS milliseconds between tokens"},
    {FaultKind::dribble, "dribble", "MS", ArgumentUse::optional,
     "sends the whole answer byte by byte; with MS: so many milliseconds apart"},
    {FaultKind::garbage, "garbage", "", ArgumentUse::none,
     "sends bytes that are not HTTP, then closes"},
    {FaultKind::html, "html", "N", ArgumentUse::optional,
     "answers 503 with an HTML page, or with the status N"},
    {FaultKind::half_json, "halfjson", "", ArgumentUse::none,
     "sends half of the JSON in a framing that is whole; of a stream, half of the second event"},
    {FaultKind::wrong_length, "wronglength", "", ArgumentUse::none,
     "announces more bytes than it sends, then closes"},
    {FaultKind::surplus, "surplus", "", ArgumentUse::none,
     "sends more bytes after the complete answer"},
    {FaultKind::comments, "comments", "", ArgumentUse::none,
     "sends nothing but SSE comments (blanks, where no stream was asked for), without end"},
    {FaultKind::headers, "headers", "N", ArgumentUse::optional,
     "answers with N more headers (300 if not given)"},
    {FaultKind::gzip, "gzip", "", ArgumentUse::none,
     "says content-encoding: gzip about a body that is not compressed"},
    {FaultKind::no_usage, "nousage", "", ArgumentUse::none, "leaves the usage out"},
    {FaultKind::negative_usage, "negativeusage", "", ArgumentUse::none,
     "reports negative numbers of tokens"},
    {FaultKind::close, "close", "", ArgumentUse::none,
     "frames the body by closing the connection at its end"},
    {FaultKind::early, "early", "", ArgumentUse::none,
     "answers 413 before it reads the body, whatever the model"},
    {FaultKind::interim, "continue", "", ArgumentUse::none,
     "sends a 100 and a 102 before the answer, whatever the model"},
    {FaultKind::stream_error, "streamerror", "N", ArgumentUse::optional,
     "breaks a stream off with the dialect's error event after N events (1 if not given)"},
    {FaultKind::quota, "quota", "", ArgumentUse::none,
     "answers as the dialect does when the money is used up"},
    {FaultKind::wrong_types, "wrongtypes", "", ArgumentUse::none,
     "writes numbers as strings, and the words of the answer as a number"},
    {FaultKind::gzipped, "gzipped", "", ArgumentUse::none,
     "compresses the body with gzip, though nobody asked for it"},
    {FaultKind::refusal, "refusal", "", ArgumentUse::none,
     "lets the model refuse to answer, in the way of the dialect"},
    {FaultKind::blocked, "blocked", "", ArgumentUse::none,
     "has the prompt itself blocked: Gemini then sends no candidates, others refuse"},
    {FaultKind::calls, "calls", "N", ArgumentUse::optional,
     "lets the model call N tools at once (2 if not given) of those it was offered"},
    {FaultKind::retry_after, "retryafter", "S", ArgumentUse::required,
     "says to come back in S seconds: in retry-after, of Gemini in the error's RetryInfo"},
    {FaultKind::retry_date, "retrydate", "S", ArgumentUse::required,
     "says so with a retry-after that is a date, S seconds after the answer's own"},
    {FaultKind::retry_ms, "retryms", "MS", ArgumentUse::required,
     "says so in milliseconds: retry-after-ms, of Gemini the RetryInfo"},
    {FaultKind::rate_limit, "ratelimit", "S", ArgumentUse::required,
     "says in the dialect's own way that the limit of requests is reset in S seconds"},
    {FaultKind::should_retry, "shouldretry", "N", ArgumentUse::required,
     "adds x-should-retry: false where N is 0, true where it is 1"},
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool read_number(std::string_view text, uint32_t& number) {
  if (text.empty() || text.size() > 9) return false;
  number = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<uint32_t>(c - '0');
  }
  return true;
}

struct Fault {
  FaultKind kind = FaultKind::none;
  uint32_t argument = FaultPlan::not_given;
};

bool read_fault(std::string_view text, Fault& fault) {
  uint32_t code = 0;
  if (read_number(text, code)) {
    fault = {FaultKind::status, code};
    return std::find(std::begin(statuses), std::end(statuses), code) != std::end(statuses);
  }
  const size_t colon = text.find(':');
  const std::string_view name = trim(text.substr(0, colon));
  for (const FaultRow& row : table) {
    if (row.name != name || row.kind == FaultKind::status) continue;
    fault = {row.kind, FaultPlan::not_given};
    if (colon == std::string_view::npos) return row.use != ArgumentUse::required;
    return row.use != ArgumentUse::none &&
           read_number(trim(text.substr(colon + 1)), fault.argument) &&
           (row.kind != FaultKind::should_retry || fault.argument <= 1);
  }
  return false;
}

void add(const Fault& fault, FaultPlan& plan) {
  const auto set = [&](uint32_t& member) {
    if (member == FaultPlan::not_given) member = fault.argument;
  };
  switch (fault.kind) {
    case FaultKind::slow: return set(plan.slow_ms);
    case FaultKind::gap: return set(plan.gap_ms);
    case FaultKind::rate_limit: return set(plan.rate_limit_s);
    case FaultKind::should_retry: return set(plan.should_retry);
    case FaultKind::retry_after:
    case FaultKind::retry_date:
    case FaultKind::retry_ms:
      if (plan.retry == FaultPlan::not_given) plan.retry_form = fault.kind;
      return set(plan.retry);
    default:
      if (!plan.is(FaultKind::none)) return;
      plan.kind = fault.kind;
      plan.argument = fault.argument;
  }
}

// "-2024-11-20" or "-20241120".
bool is_date_suffix(std::string_view text) {
  constexpr std::string_view forms[] = {"-dddd-dd-dd", "-dddddddd"};
  for (std::string_view form : forms) {
    if (std::equal(text.begin(), text.end(), form.begin(), form.end(), [](char c, char wanted) {
          return wanted == 'd' ? c >= '0' && c <= '9' : c == wanted;
        })) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::span<const FaultRow> fault_table() { return table; }

std::span<const uint16_t> fault_statuses() { return statuses; }

bool is_release_of(std::string_view requested, std::string_view name) {
  if (!requested.starts_with(name)) return false;
  const std::string_view rest = requested.substr(name.size());
  return rest.empty() || is_date_suffix(rest);
}

bool read_faults(std::string_view text, std::string_view model, bool any_model, FaultPlan& plan,
                 std::string_view& unknown) {
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view entry = trim(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    if (entry.empty()) continue;
    const size_t equals = entry.rfind('=');
    const bool named = equals != std::string_view::npos;
    Fault fault;
    if (!read_fault(named ? trim(entry.substr(equals + 1)) : entry, fault)) {
      unknown = entry;
      return false;
    }
    if (!named || any_model || is_release_of(model, trim(entry.substr(0, equals)))) {
      add(fault, plan);
    }
  }
  if (plan.names_delay() && plan.is(FaultKind::none)) add({FaultKind::status, 429}, plan);
  return true;
}

}  // namespace hyperion::config
