// The answers an exchange gives by itself: refusals, OPTIONS, the list of models, health and
// metrics.
#include <cstring>

#include "gateway/client.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"
#include "gateway/model_list.h"
#include "json/writer.h"

namespace hyperion::gateway {
namespace {

bool origin_is_allowed(const config::CorsSettings& cors, std::string_view origin) {
  for (const std::string& allowed : cors.allowed_origins) {
    if (allowed == "*" || allowed == origin) return true;
  }
  return false;
}

}  // namespace

bool Exchange::begin_answer(uint16_t status) {
  record_.status = status;
  relay_.set_keep_alive(client_->promise_keep_alive());
  if (!relay_.begin_head(status)) return false;
  relay_.head().header("x-request-id", request_id());
  // Where Anthropic's clients look for it.
  if (endpoint_ != nullptr && endpoint_->wire == dialect::Wire::anthropic)
    relay_.head().header("request-id", request_id());
  write_cors();
  return true;
}

void Exchange::write_cors() {
  const config::CorsSettings& cors = snapshot_->config->settings.cors;
  if (!cors.enabled() || head_ == nullptr || client_->side() == Listening::admin_side) return;
  http::HeadWriter& head = relay_.head();
  head.raw("vary: origin\r\n");
  std::string_view origin = head_->headers.find("origin");
  if (origin.empty() || !origin_is_allowed(cors, origin)) return;
  head.header("access-control-allow-origin", origin);
  if (head_->method != http::Method::options) {
    head.raw(
        "access-control-expose-headers: x-request-id, x-hyperion-provider, x-hyperion-model, "
        "retry-after\r\n");
    return;
  }
  head.header("access-control-allow-methods",
              endpoint_ != nullptr ? allowed_methods(*endpoint_) : "GET, POST, OPTIONS");
  // The openai clients in browsers send the x-stainless ones.
  head.raw(
      "access-control-allow-headers: authorization, content-type, x-api-key, x-goog-api-key, "
      "anthropic-version, anthropic-beta, idempotency-key, "
      "traceparent, "
      "tracestate, openai-organization, openai-project, x-hyperion-fault, x-stainless-arch, "
      "x-stainless-helper-method, x-stainless-lang, x-stainless-os, x-stainless-package-version, "
      "x-stainless-retry-count, x-stainless-runtime, x-stainless-runtime-version, "
      "x-stainless-timeout\r\n");
  head.header("access-control-max-age", cors.max_age_s);
}

void Exchange::refuse(const Failure& failure, Side side, Phase phase) {
  record_.side = side;
  record_.phase = phase;
  bool sent = answer_failure(failure);
  finish(Outcome::refused, !sent);
}

// False: out of memory; the connection must show that there is no answer.
bool Exchange::answer_failure(const Failure& failure) {
  if (client_ == nullptr || relay_.head_sent()) return false;
  const std::string_view path = head_ != nullptr ? head_->path : std::string_view();
  const dialect::Wire wire = endpoint_ != nullptr ? endpoint_->wire : wire_of_path(path);
  json::Output body(gateway_.scratch());
  dialect::write_error(wire, answer_of(failure, request_id()), body);
  if (body.failed() || !begin_answer(failure.status)) return false;
  http::HeadWriter& head = relay_.head();
  head.raw("content-type: application/json\r\n");
  if (failure.status == 405 && endpoint_ != nullptr)
    head.header("allow", allowed_methods(*endpoint_));
  if (failure.status == 401) head.raw("www-authenticate: Bearer\r\n");
  if (failure.retry_after_ms >= 0)
    head.header("retry-after", static_cast<uint64_t>(failure.retry_after_ms + 999) / 1000);
  if (failure.should_retry_no) head.raw("x-should-retry: false\r\n");
  if (record_.attempts != 0) head.header("x-hyperion-attempts", record_.attempts);
  if (!record_.provider.empty()) head.header("x-hyperion-provider", record_.provider);
  if (!record_.model.empty()) head.header("x-hyperion-model", record_.model);
  record_.response_bytes = body.text().size();
  return relay_.end_head(body.text().size()) && relay_.body(body.text());
}

void Exchange::answer_options() {
  if (!begin_answer(204)) {
    finish(Outcome::failed, true);
    return;
  }
  relay_.head().header("allow",
                       endpoint_ != nullptr ? allowed_methods(*endpoint_) : "GET, POST, OPTIONS");
  bool sent = relay_.end_head(0);
  finish(sent ? Outcome::answered : Outcome::failed, !sent);
}

void Exchange::answer_text(uint16_t status, std::string_view content_type, std::string_view body) {
  bool sent = begin_answer(status);
  if (sent) {
    relay_.head().header("content-type", content_type);
    sent = relay_.end_head(body.size()) && relay_.body(body);
  }
  record_.response_bytes = body.size();
  finish(sent ? Outcome::answered : Outcome::failed, !sent);
}

void Exchange::answer_page() {
  Pages* pages = gateway_.pages();
  switch (endpoint_->work) {
    case Work::metrics:
      answer_text(200, "text/plain; version=0.0.4; charset=utf-8",
                  pages != nullptr ? pages->metrics() : "");
      return;
    case Work::ready: {
      const char* reason =
          gateway_.ending() ? "draining" : (pages != nullptr ? pages->not_ready() : nullptr);
      if (reason == nullptr) {
        answer_text(200, "application/json", "{\"status\":\"ready\"}");
      } else {
        answer_text(503, "application/json", std::string("{\"status\":\"") + reason + "\"}");
      }
      return;
    }
    default: answer_text(200, "application/json", "{\"status\":\"live\"}");
  }
}

// Nobody at this provider counts tokens before they are spent: four bytes a token, and a number for
// what is no text. The header says that it is an estimate.
void Exchange::answer_token_estimate() {
  const int64_t tokens = dialect::estimate_tokens(*canonical_);
  char text[96];
  json::Writer writer(text, sizeof(text));
  writer.begin_object();
  writer.member(endpoint_->wire == dialect::Wire::gemini ? "totalTokens" : "input_tokens", tokens);
  writer.end_object();
  bool sent = begin_answer(200);
  if (sent) {
    relay_.head().raw("content-type: application/json\r\nx-hyperion-adjusted: estimated\r\n");
    relay_.head().header("x-hyperion-model", record_.model);
    sent = relay_.end_head(writer.text().size()) && relay_.body(writer.text());
  }
  record_.response_bytes = writer.text().size();
  finish(sent ? Outcome::answered : Outcome::failed, !sent);
}

// Every name this key may say. Not the request path: the text is built anew, bounded by the
// catalogue.
void Exchange::answer_models() {
  ByteBuffer text(gateway_.runtime().blocks, gateway_.bodies());
  json::Output out(text);
  write_models(out, *snapshot_, [&](const catalog::Deployment& deployment) {
    return key_->allowed.allows(deployment);
  });
  answer_json(out);
}

void Exchange::answer_model() {
  record_.requested_model = decoded_name(name_in_path(*endpoint_, head_->path), client_->arena());
  if (!resolve_model()) return;
  json::Output out(gateway_.scratch());
  write_model(out, record_.requested_model, *resolution_.deployment, resolution_.upstream_model);
  answer_json(out);
}

void Exchange::answer_json(const json::Output& out) {
  if (!out.failed()) {
    answer_text(200, "application/json", out.text());
    return;
  }
  Failure failure = make_failure(503, "overloaded", {},
                                 "Hyperion is at its memory limit. Try again in a second.");
  failure.retry_after_ms = 1000;
  refuse(failure, Side::gateway, Phase::decide);
}

}  // namespace hyperion::gateway
