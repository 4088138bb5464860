// One request and its one answer: the central state machine.
//
//   head ─▶ body ─▶ decide ─▶ run ─▶ done
//
// Owned by the Gateway (slab); belongs to one Client until it has answered, and lives on until its
// attempts have joined. Events come from the client (head, body, complete, gone) and from the
// attempt (answer, failure); each leads to a few named steps. It ends in exactly one of answered,
// refused, failed, abandoned, writes one log line, and nothing of it goes to the client before the
// attempt has committed. Everything wrong with a request becomes a Failure with a sentence; nothing
// here asserts on input.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/intrusive_list.h"
#include "catalog/catalog.h"
#include "config/virtual_keys.h"
#include "dialect/language.h"
#include "gateway/crossing.h"
#include "gateway/endpoints.h"
#include "gateway/failure.h"
#include "gateway/leg.h"
#include "gateway/record.h"
#include "gateway/relay.h"
#include "gateway/router.h"
#include "gateway/snapshot.h"
#include "http/head.h"
#include "http/request_parser.h"
#include "io/timer_wheel.h"
#include "json/body_scan.h"
#include "json/splice.h"
#include "json/walker.h"
#include "resilience/admission.h"
#include "resilience/chain.h"
#include "resilience/key_slots.h"
#include "routing/capability.h"

namespace hyperion::gateway {

// Why a request is refused at its head, until its body is out of the way.
struct Shed {
  ShedReason reason{};
  uint16_t status = 0;  // 0: it is not
  uint32_t retry_after_s = 0;

  explicit operator bool() const { return status != 0; }
};

class Attempt;
class Client;
class Gateway;

struct ExchangeTag {};

struct RequestTimeouts {
  uint32_t connect_ms = 0;
  uint32_t first_token_ms = 0;
  uint32_t idle_ms = 0;
  uint32_t total_ms = 0;
};

class Exchange final : public ListNode<ExchangeTag> {
 public:
  Exchange(Gateway& gateway, Client& client);

  // From the client -----------------------------------------------------------------------------
  void on_head(const http::RequestHead& head);
  bool on_body(std::string_view bytes);  // false: out of memory
  void on_complete();
  void on_rejected(const http::Rejection& rejection);
  void on_request_timeout(bool in_body);
  void on_client_gone(Error error);
  void on_client_progress();

  // For the attempt -----------------------------------------------------------------------------
  Gateway& gateway() { return gateway_; }
  const Snapshot& snapshot() const { return *snapshot_; }
  const Endpoint& endpoint() const { return *endpoint_; }
  // The client's own bytes but for the model's name, for passthrough.
  json::SplicePlan plan_passthrough(const catalog::Resolution& resolution);
  // The request free of dialects, for a translation.
  const dialect::Request& canonical() const { return *canonical_; }
  // The same as text, without the keys of our own.
  std::string_view client_body() const;
  // A Gemini stream that the client wants as a JSON array.
  bool wants_array() const { return wants_array_; }
  const http::RequestHead& request() const { return *head_; }
  bool wants_stream() const { return wants_stream_; }
  std::string_view forwarded_fault() const { return forwarded_fault_; }
  // The client asked for a failure to be rehearsed: what fails now says nothing of the provider.
  bool rehearses() const { return !forwarded_fault_.empty(); }
  // Whether the client is spared this error.
  bool goes_on_after(const Attempt& attempt, const dialect::ProviderError& said);
  // When everything must be over.
  Instant deadline() const { return deadline_; }
  // Deadlines that the request asked for; 0: none.
  const RequestTimeouts& timeouts() const { return timeouts_; }
  // Names of the request's own options that had no effect, for x-hyperion-dropped-params.
  std::string_view dropped_options() const { return dropped_options_; }
  // The decision in full, for a client that asked for it; empty otherwise.
  std::string_view explanation() const { return explanation_.view(); }
  bool waits_for_client() const;
  Record& record() { return record_; }
  std::string_view request_id() const { return {record_.request_id, request_id_size}; }
  Relay& relay() { return relay_; }
  // Bytes queued at the client and not taken yet.
  size_t client_backlog_bytes() const;
  // Starts the answer: status line and the headers that every proxied answer has. The attempt adds
  // its own.
  bool begin_answer(uint16_t status);
  void flush_answer();
  // The answer is this attempt's: it is about to be begun.
  void on_attempt_commits(Attempt& attempt);
  // The attempt is over. `answered`: the whole answer is queued.
  void on_attempt_answered(Attempt& attempt);
  // Nothing was sent to the client yet, or (committed) the answer is broken now. `said`: in the
  // provider's own words.
  void on_attempt_failed(Attempt& attempt, Error error, const dialect::ProviderError* said);
  // The attempt will not be heard of again.
  void on_attempt_joined(Attempt* attempt);

  // Whether an attempt still references the request's bytes.
  bool joined() const { return attempts_alive_ == 0 && finished_; }

 private:
  uint64_t body_limit() const;
  bool authenticate();
  bool check_method();
  bool admit();
  bool shed(ShedReason reason, const resilience::Admission& admission);
  void answer_shed();
  void write_cors();
  void answer_options();
  void answer_page();
  void answer_models();
  void answer_model();
  void answer_json(const json::Output& out);
  void answer_text(uint16_t status, std::string_view content_type, std::string_view body);
  void scan_and_decide();
  bool decide();
  // The plan
  bool make_chain();
  bool add_candidate(const catalog::Deployment& deployment, uint32_t place);
  bool add_model(const catalog::Deployment& deployment, uint32_t place);
  bool add_fallbacks(uint32_t place);
  void add_fallback(std::string_view name, size_t number, uint32_t place);
  bool is_candidate(const catalog::Deployment& deployment) const;
  bool judge();
  std::string_view unfit(const catalog::Deployment& deployment, const Crossing& crossing);
  // The chain
  void begin_chain();
  resilience::Event environment(resilience::Event event);
  void act(resilience::Action action);
  bool begin_attempt(const resilience::Action& action, resilience::Event& blocked);
  bool start_leg(const Leg& leg, bool hedge, resilience::Event& blocked);
  bool leave_out(const catalog::Deployment& deployment, resilience::Skip skip,
                 resilience::Event& blocked);
  void refuse_for_slots();
  bool read_for(const Crossing& crossing, Failure& failure);
  void arm_hedge(const Attempt& attempt);
  void on_late();
  void on_wait_over();
  resilience::Event failure_event(const Attempt& attempt, Error error,
                                  const dialect::ProviderError* said);
  void drop_other(Attempt*& other);
  void count_possibly_billed();
  void note(std::string_view& list, std::string_view name, std::string_view reason);
  void name_dropped(std::string_view name);
  void name_dropped_fallback(uint32_t place);
  void take(Attempt& attempt);
  void clear_error();
  void give_up(resilience::Action::Why why);
  Failure failure_of_none(resilience::Action::Why why) const;

  bool read_model(const json::Scan& scan);
  void read_options(const json::Options& options);
  bool resolve_model();
  bool resolve_name();
  bool accept_deployment();
  bool choose_model(const json::Scan& scan);
  bool route(const json::Scan& scan);
  void keep_decision();
  void answer_explanation();
  bool authenticate_admin();
  void take_feedback();
  bool read_feedback(std::string_view body, json::Walker walker, Failure& failure);
  void answer_decisions();
  RouteRequest route_request(const json::Scan& scan);
  bool decode_request(Failure& failure);
  void answer_token_estimate();
  void refuse(const Failure& failure, Side side, Phase phase);
  bool answer_failure(const Failure& failure);
  Failure failure_of_all() const;
  void finish(Outcome outcome, bool broken);
  void release_if_joined();

  Gateway& gateway_;
  Client* client_;  // nullptr once the exchange has ended for the client
  std::shared_ptr<const Snapshot> snapshot_;
  const http::RequestHead* head_ = nullptr;
  const Endpoint* endpoint_ = nullptr;
  const config::VirtualKey* key_ = nullptr;
  resilience::Place place_;
  Shed shed_;
  bool wants_stream_ = false;
  bool wants_array_ = false;
  bool retried_ = false;       // the candidate, on a fresh connection
  bool retrying_ = false;      // counted by the gateway
  bool hedging_ = false;       // likewise
  bool beyond_limit_ = false;  // the body, of the key's own limit
  bool finished_ = false;
  Attempt* attempt_ = nullptr;  // the one that is listened to
  Attempt* hedge_ = nullptr;    // a second one, until one of them commits
  uint32_t attempts_alive_ = 0;
  uint32_t fresh_retries_ = 0;
  std::string_view forwarded_fault_;
  std::string_view dropped_options_;
  RequestTimeouts timeouts_;
  ByteBuffer body_;
  json::Scan scan_;  // of the body; its `model` is gone
  resilience::Chain chain_;
  // Of the chain's candidates; as many as it has.
  std::array<const catalog::Deployment*, resilience::Chain::candidates_max> candidates_;
  std::optional<routing::Demands> demands_;  // once somebody asked
  uint32_t fallbacks_behind_ = 0;            // the place behind which the fallbacks stand
  Instant deadline_;
  int64_t max_cost_nano_usd_ = -1;
  std::optional<Failure> last_failure_;         // of an attempt
  catalog::Resolution resolution_;              // of the model that was asked for or chosen
  Crossing crossing_;                           // to it
  const catalog::Deployment* asked_ = nullptr;  // what the request's name stands for
  json::SplicePlan own_body_;                   // without our own keys
  Arena canonical_arena_;
  ByteBuffer joined_body_;  // the client's body without our own keys, where it had any
  dialect::Request* canonical_ = nullptr;
  bool explains_ = false;
  ByteBuffer explanation_;
  Relay relay_;
  Record record_;
  io::MemberTimer<Exchange, &Exchange::on_wait_over> wait_{this};
  io::MemberTimer<Exchange, &Exchange::on_late> late_{this};
};

}  // namespace hyperion::gateway
