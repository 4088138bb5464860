// Discovery: now and then, each provider that has it on is asked what models it has.
//
//   wait ─▶ connect ─▶ answer ─▶ wait
//
// One for a shard, owned by its Gateway; one look at a time, over the provider's own pool, on a
// connection of its own and only while at least one more is free, so no request waits for it. A
// look is bounded in time, bytes and names. A whole list takes the place of the one before;
// whatever else happens changes nothing but a counter and one line for a row of failures.
// `find_discovered` is the last step of a name's resolution. A reload gives up the look that runs
// and looks again soon; what was known of a provider stays while its address does.
#pragma once

#include <memory>
#include <string_view>

#include "base/arena.h"
#include "base/byte_buffer.h"
#include "catalog/catalog.h"
#include "gateway/snapshot.h"
#include "io/runtime.h"
#include "io/timer_wheel.h"
#include "upstream/pool.h"

namespace hyperion::gateway {

// Whether the providers' own lists have a say: the catalogue knows nothing of the name, or nobody
// whom it knows to serve it. What is retired stays so.
inline bool may_be_discovered(const catalog::Resolution& resolution) {
  using Found = catalog::Resolution::Outcome;
  return resolution.outcome == Found::unknown || resolution.outcome == Found::unserved;
}

// "provider/name" and then "name", as the lists have it; of several providers the first of the
// conf.
catalog::Resolution find_discovered(const Snapshot& snapshot, std::string_view name);

// For a provider of a new configuration that goes on with `pool`: what `old` (or nullptr) knew of
// it, or nothing yet.
std::shared_ptr<DiscoveredModels> discovered_models(const Snapshot* old,
                                                    const catalog::Provider& provider,
                                                    const std::shared_ptr<upstream::Pool>& pool);

class Discovery final : private upstream::ResponseHandler, private upstream::Borrower {
 public:
  Discovery(io::Runtime& runtime, MemoryBudget& bodies);
  ~Discovery();
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

  // The configuration from now on.
  void follow(std::shared_ptr<const Snapshot> snapshot);
  // For good: a drain has begun.
  void stop();
  // Nothing will call back any more.
  bool idle() const { return state_ == State::wait && leaving_ == 0; }

 private:
  enum class State : uint8_t { wait, connect, answer };

  // upstream::Borrower
  void on_borrowed(upstream::Connection* connection) override;
  void on_borrow_failed(Error error) override;
  // upstream::ResponseHandler
  void on_response_head(const http::ResponseHead& head) override;
  void on_response_body(std::string_view bytes) override;
  void on_response_complete(bool released) override;
  void on_response_failed(Error error, bool released) override;
  void on_released() override { --leaving_; }

  void on_timer();
  void begin();
  bool send_request();
  const char* take_list();
  void schedule();
  void cancel();
  void fail(const char* why);
  void end(uint64_t next_s);

  const config::DiscoverySettings& settings() const { return asked_->config->settings.discovery; }
  const catalog::Provider& provider() const { return asked_->config->catalog.providers()[index_]; }
  const ProviderState& provider_state() const { return asked_->providers[index_]; }

  io::Runtime& runtime_;
  std::shared_ptr<const Snapshot> asked_;  // nullptr: nobody is to be asked
  bool stopped_ = false;
  State state_ = State::wait;
  size_t index_ = 0;  // whose turn it is
  upstream::Connection* connection_ = nullptr;
  uint32_t leaving_ = 0;  // connections that still have bytes of an ended look
  Arena arena_;
  ByteBuffer body_;
  io::MemberTimer<Discovery, &Discovery::on_timer> timer_{
      this};  // the next look, or this one's end
};

}  // namespace hyperion::gateway
