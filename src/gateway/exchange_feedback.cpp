// What clients say of answers, and what the operator is shown of decisions.
#include <charconv>
#include <cmath>

#include "gateway/client.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {
namespace {

bool is_request_id(std::string_view text) {
  return text.size() == request_id_size && text.starts_with("req_") &&
         text.substr(4).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Failure wrong(std::string_view field, const char* expected) {
  return make_failure(400, "invalid_request", field, "`%.*s`: expected %s.",
                      static_cast<int>(field.size()), field.data(), expected);
}

}  // namespace

// The admin routes are closed without a token of their own.
bool Exchange::authenticate_admin() {
  constexpr std::string_view scheme = "Bearer ";
  const Secret& token = snapshot_->config->settings.admin.token;
  std::string_view given = head_->headers.find("authorization");
  if (given.starts_with(scheme)) given.remove_prefix(scheme.size());
  // As long for a right token as for a wrong one of its length.
  const std::string_view wanted = token.empty() ? std::string_view() : token.reveal();
  unsigned difference = wanted.empty() || given.size() != wanted.size();
  for (size_t i = 0; i < given.size() && i < wanted.size(); ++i)
    difference |= static_cast<unsigned char>(given[i] ^ wanted[i]);
  if (difference == 0) return true;
  refuse(make_failure(401, "invalid_api_key", {},
                      "This route needs the admin token: set it with admin.token_env or "
                      "admin.token_file and send it as `Authorization: Bearer`."),
         Side::client, Phase::head);
  return false;
}

// One line of the log, from which `hyperion feedback` learns.
void Exchange::take_feedback() {
  json::Scan scan;
  json::ScanError error;
  const config::Settings& settings = snapshot_->config->settings;
  Failure failure;
  if (!gateway_.scanner().scan(body_.view(), settings.json, scan, error)) {
    failure = failure_of(error);
  } else if (read_feedback(body_.view(), gateway_.scanner().walk_again(body_.view(), settings.json),
                           failure)) {
    answer_text(200, "application/json", "{\"recorded\":true}");
    return;
  }
  record_.feedback_id = {};  // what is refused counts for nothing
  refuse(failure, Side::client, Phase::decide);
}

bool Exchange::read_feedback(std::string_view body, json::Walker walker, Failure& failure) {
  const char* const one = "one of `score` (0 to 1), `good` (true) or `bad` (true)";
  int judgements = 0;
  json::Members members;
  walker.enter_object(members);
  while (walker.next_member(members)) {
    json::Value value;
    walker.pass(value);
    const std::string_view text = body.substr(value.begin, value.end - value.begin);
    if (members.key == "request_id") {
      const std::string_view id = text.size() > 2 ? text.substr(1, text.size() - 2) : text;
      if (value.kind != json::Kind::string || !is_request_id(id)) {
        failure = wrong("request_id", "the x-request-id of an answer, `req_` and 24 hex digits");
        return false;
      }
      record_.feedback_id = client_->arena().copy(id);
    } else if (members.key == "score") {
      double score = -1;
      if (value.kind == json::Kind::number)
        std::from_chars(text.data(), text.data() + text.size(), score);
      if (!(score >= 0 && score <= 1)) {
        failure = wrong("score", "a number from 0 (bad) to 1 (good)");
        return false;
      }
      record_.feedback_score = static_cast<int32_t>(std::lround(score * 1000));
      ++judgements;
    } else if (members.key == "good" || members.key == "bad") {
      if (text != "true") {
        failure = wrong(members.key, "true, or nothing");
        return false;
      }
      record_.feedback_score = members.key == "good" ? 1000 : 0;
      ++judgements;
    } else {
      failure = make_failure(400, "invalid_request", {},
                             "The body holds an unknown field: expected request_id and %s.", one);
      return false;
    }
  }
  if (judgements != 1) failure = wrong("score", one);
  if (record_.feedback_id.empty())
    failure = wrong("request_id", "the x-request-id of an answer, `req_` and 24 hex digits");
  return !failure;
}

void Exchange::answer_decisions() {
  ByteBuffer text(gateway_.runtime().blocks, gateway_.bodies());
  json::Output out(text);
  gateway_.decisions().write(out);
  answer_json(out);
}

}  // namespace hyperion::gateway
