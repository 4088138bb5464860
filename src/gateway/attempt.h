// One try at one deployment: a connection, the request on it, and the answer coming back.
//
//   connect ─▶ send ─▶ await_head ─▶ await_token ─▶ relay ─▶ join ─▶ done
//
// Owned by the Gateway (slab), belongs to one Exchange; several can exist for one exchange (one
// cancelled and still joining). It borrows the connection, writes the request head, queues the body
// by reference, and passes the answer on: a plain answer whole (up to a cap), a stream in whole SSE
// events from the first semantic token on. Its timers: connection, first token, silence, total. It
// reports exactly one of answered and failed to the exchange, then joins: it is freed when the
// connection references nothing of the request any more. Where the provider speaks another dialect
// than the client, `prepare` writes the provider's request and every event of the answer passes
// through the translator; everything else is the same.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/byte_buffer.h"
#include "dialect/gemini_embedding.h"
#include "dialect/observation.h"
#include "gateway/answer_translator.h"
#include "gateway/leg.h"
#include "gateway/record.h"
#include "http/head_writer.h"
#include "http/sse_splitter.h"
#include "io/timer_wheel.h"
#include "json/array_splitter.h"
#include "json/splice.h"
#include "ledger/holds.h"
#include "resilience/health.h"
#include "upstream/pool.h"

namespace hyperion::gateway {

class Exchange;

class Attempt final : private upstream::ResponseHandler, private upstream::Borrower {
 public:
  // `hold`: the money set aside for it.
  Attempt(Exchange& exchange, const Leg& leg, ledger::Hold hold);
  ~Attempt();

  // Before `start`: writes the request for this provider where it must be translated. False: it
  // cannot be said in its dialect, `problem` says why; the attempt is to be released.
  bool prepare(dialect::RequestProblem& problem);
  void start();
  // The exchange wants no more of it. No report follows; it joins by itself.
  void cancel();
  // True while its reading waits for the client to take bytes.
  bool waits_for_client() const { return paused_; }
  // How far it has come, for the end code.
  Phase phase() const;
  const Leg& leg() const { return leg_; }
  const Trace& trace() {
    trace_.usage = usage_;
    return trace_;
  }
  bool committed() const { return committed_; }
  // The provider has the request, as far as anybody can tell.
  bool sent() const { return static_cast<bool>(trace_.sent); }
  // The client has taken bytes: go on reading if reading was paused for it.
  void on_client_progress();

 private:
  enum class State : uint8_t { connect, await_head, await_token, relay, join };
  enum class Kind : uint8_t { unknown, plain, stream, array };

  // upstream::Borrower
  void on_borrowed(upstream::Connection* connection) override;
  void on_borrow_failed(Error error) override;
  // upstream::ResponseHandler
  void on_response_head(const http::ResponseHead& head) override;
  void on_response_body(std::string_view bytes) override;
  void on_response_complete(bool released) override;
  void on_response_failed(Error error, bool released) override;
  void on_released() override;

  const catalog::Deployment& deployment() const { return *leg_.resolution.deployment; }
  void send_request();
  void write_head(http::HeadWriter& writer);
  // Passes a header of the client's on, if it is there and not too long.
  bool forward_header(http::HeadWriter& writer, std::string_view name);
  bool translates() const;
  size_t write_target(char* out, size_t capacity) const;
  void plain_body(std::string_view bytes);
  void finish_stream(bool released);
  bool take_unended_event();
  void finish_plain(bool released);
  void finish_translated(bool released);
  dialect::Observation translate_answer(std::string_view body, std::string_view& answer);
  bool encode_request(json::Output& out, dialect::Notes& notes);
  void fail_as_said(const dialect::ProviderError& said, bool released);
  void fail_complete(ErrorCode code, Side side, bool released);
  dialect::Observation observe(const http::SseEvent& event, bool committed);
  bool ends_with_finish() const;
  bool streams() const { return kind_ == Kind::stream || kind_ == Kind::array; }
  size_t next_event(std::string_view bytes, http::SseEvent& event);
  bool relay_translated();
  void write_error_event(Error error);
  void stream_body(std::string_view bytes);
  size_t look_at_events(std::string_view bytes, bool& commit, bool& progress);
  bool needs_commit(bool commit_now, size_t whole) const;
  bool commit(uint64_t length);
  bool send_whole(std::string_view body);
  void write_answer_headers();
  void write_dropped(http::HeadWriter& head);
  std::string_view content_type_of_translation() const;
  bool relay_bytes(std::string_view bytes);
  bool keep_rest(std::string_view view, size_t whole, bool in_place);
  void finish_answer(bool released);
  void fail(ErrorCode code, Phase phase);
  void give_up(Error error);
  void join(bool released);
  void arm(uint64_t after_ms);
  uint64_t bounded(uint32_t conf_ms, uint32_t asked_ms);
  void arm_idle();
  uint64_t idle_ms();
  void on_deadline();
  void on_total();
  void settle(bool answered);
  void tell_health_of_begin();
  void tell_health_of_end(resilience::Verdict::Kind kind, dialect::ErrorKind error);
  bool hides_secret(std::string_view text) const;
  dialect::ProviderError read_error() const;
  bool take_error(const http::SseEvent& event);
  bool leaves_error(const http::SseEvent& event);
  void break_off(std::string_view before, bool says_something);
  bool give_rest();

  // Longer header values are neither forwarded to a provider nor relayed to a client: a head of
  // ours must fit.
  static constexpr size_t forwarded_value_max_bytes = 512;
  // A base_url's path and a dialect's path with a model's name.
  static constexpr size_t target_max_bytes = 1024;
  // Held back before the commit point at most (design: then commit).
  static constexpr size_t held_max_bytes = 64 * 1024;
  static constexpr uint32_t held_max_events = 256;

  Exchange& exchange_;
  const Leg leg_;
  Trace trace_;
  ledger::Hold hold_;
  json::SplicePlan plan_;  // of the body, in passthrough
  upstream::Pool& pool_;
  upstream::Connection* connection_ = nullptr;
  State state_ = State::connect;
  Kind kind_ = Kind::unknown;
  const dialect::ProviderError* said_ = nullptr;  // why it failed, in the provider's words
  dialect::ProviderError stream_error_;           // of a stream in passthrough
  std::string_view dropped_;                      // of the request, in the translation
  std::string_view adjusted_;
  int64_t retry_after_ms_ = -1;  // as the provider said
  bool committed_ = false;
  bool slow_ = false;         // its first token was
  bool hurried_ = false;      // the deadline that runs is the client's own, shorter than the conf's
  bool brief_ = false;        // so is the time for all of it
  bool health_told_ = false;  // that it answers
  bool done_seen_ = false;    // the stream's end marker
  bool finish_told_ = false;  // of a provider that has none: how its answer ended
  bool error_told_ = false;   // the provider's own error event was passed on
  bool secret_told_ = false;  // it was not, for what stands in it
  bool paused_ = false;       // reading stopped because the client is slow
  uint32_t held_events_ = 0;
  size_t looked_at_ = 0;  // of held_: whole events already observed
  uint64_t body_bytes_ = 0;
  http::ResponseHead head_;  // views into arena_
  dialect::Usage usage_;
  http::SseSplitter splitter_;
  json::ArraySplitter array_splitter_;  // of a Gemini stream without SSE
  dialect::gemini::EmbeddingForm embedding_form_;
  Arena arena_;
  AnswerTranslator translator_;
  ByteBuffer request_body_;  // of a translated request
  ByteBuffer held_;  // a plain body, or events before the commit, or the beginning of an event
  io::MemberTimer<Attempt, &Attempt::on_deadline> deadline_{this};
  io::MemberTimer<Attempt, &Attempt::on_total> total_{this};
};

}  // namespace hyperion::gateway
