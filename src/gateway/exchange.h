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
#include <string_view>

#include "base/byte_buffer.h"
#include "base/intrusive_list.h"
#include "catalog/catalog.h"
#include "config/virtual_keys.h"
#include "dialect/language.h"
#include "gateway/crossing.h"
#include "gateway/endpoints.h"
#include "gateway/failure.h"
#include "gateway/record.h"
#include "gateway/relay.h"
#include "gateway/snapshot.h"
#include "http/head.h"
#include "http/request_parser.h"
#include "json/body_scan.h"
#include "json/splice.h"
#include "json/walker.h"
#include "resilience/admission.h"
#include "resilience/key_slots.h"

namespace hyperion::gateway {

// Who is tried, in order: the model that was asked for or chosen, then who follows if it fails.
struct Chain {
  static constexpr size_t candidates_max = 12;
  std::array<const catalog::Deployment*, candidates_max> candidates{};
  size_t count = 0;
  size_t at = 0;  // whose turn it is

  const catalog::Deployment* next() const { return at + 1 < count ? candidates[at + 1] : nullptr; }
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
  const catalog::Deployment& deployment() const { return *resolution_.deployment; }
  const Crossing& crossing() const { return crossing_; }
  // The client's own bytes, for passthrough.
  const json::SplicePlan& upstream_body() const { return plan_; }
  // The request free of dialects, for a translation.
  const dialect::Request& canonical() const { return *canonical_; }
  // The same as text, without the keys of our own.
  std::string_view client_body() const;
  // A Gemini stream that the client wants as a JSON array.
  bool wants_array() const { return wants_array_; }
  const http::RequestHead& request() const { return *head_; }
  bool wants_stream() const { return wants_stream_; }
  std::string_view forwarded_fault() const { return forwarded_fault_; }
  // Whether another candidate could take over for an error of this kind.
  bool may_move_on(dialect::ErrorKind kind) const;
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
  // The attempt is over. `answered`: the whole answer is queued.
  void on_attempt_answered();
  // Nothing was sent to the client yet, or (committed) the answer is broken now. `said`: in the
  // provider's own words.
  void on_attempt_failed(Error error, bool committed, const dialect::ProviderError* said);
  // The attempt will not be heard of again.
  void on_attempt_joined(Attempt* attempt);

  // Whether an attempt still references the request's bytes.
  bool joined() const { return attempts_alive_ == 0 && finished_; }

 private:
  uint64_t body_limit() const;
  bool authenticate();
  bool check_method();
  bool admit();
  bool refuse_overloaded(const resilience::Admission& admission);
  bool refuse_at_key_limit(const resilience::Admission& admission);
  void count_shed(ShedReason reason);
  void write_cors();
  void answer_options();
  void answer_page();
  void answer_models();
  void answer_model();
  void answer_json(const json::Output& out);
  void answer_text(uint16_t status, std::string_view content_type, std::string_view body);
  void scan_and_decide();
  bool decide();
  bool prepare_candidate();
  bool make_chain();
  bool add_fallbacks();
  bool add_fallback(std::string_view name, size_t number, bool judged);
  bool add_candidate(const catalog::Deployment& deployment);
  bool moves_on(Error error, const dialect::ProviderError* said) const;
  bool try_next(Error error, const dialect::ProviderError* said);
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
  bool decode_request();
  void plan_passthrough(const json::Scan& scan);
  void answer_token_estimate();
  void start_attempt(bool fresh);
  void refuse(const Failure& failure, Side side, Phase phase);
  bool answer_failure(const Failure& failure);
  Failure failure_of_all(const Failure& last) const;
  void finish(Outcome outcome, bool broken);
  void release_if_joined();

  Gateway& gateway_;
  Client* client_;  // nullptr once the exchange has ended for the client
  std::shared_ptr<const Snapshot> snapshot_;
  const http::RequestHead* head_ = nullptr;
  const Endpoint* endpoint_ = nullptr;
  const config::VirtualKey* key_ = nullptr;
  resilience::Place place_;
  bool wants_stream_ = false;
  bool wants_array_ = false;
  bool retried_ = false;
  bool beyond_limit_ = false;  // the body, of the key's own limit
  bool finished_ = false;
  Attempt* attempt_ = nullptr;  // the one that is listened to
  uint32_t attempts_alive_ = 0;
  std::string_view tried_;  // "openai/gpt-4o (overload)", … of those that failed
  std::string_view forwarded_fault_;
  std::string_view dropped_options_;
  RequestTimeouts timeouts_;
  ByteBuffer body_;
  json::Scan scan_;  // of the body; its `model` is gone
  Chain chain_;
  catalog::Resolution resolution_;
  Crossing crossing_;
  json::SplicePlan plan_;
  Arena canonical_arena_;
  ByteBuffer joined_body_;  // the client's body without our own keys, where it had any
  dialect::Request* canonical_ = nullptr;
  bool explains_ = false;
  ByteBuffer explanation_;
  Relay relay_;
  Record record_;
};

}  // namespace hyperion::gateway
