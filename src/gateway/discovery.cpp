#include "gateway/discovery.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

#include "base/log.h"
#include "dialect/provider_models.h"
#include "gateway/provider_head.h"
#include "gateway/relay.h"
#include "http/head_writer.h"

namespace hyperion::gateway {
namespace {

// Shards start at once; their first looks come spread over this time.
constexpr uint64_t first_look_within_ms = 1000;
// After a failure, unless the interval is shorter.
constexpr uint32_t again_after_s = 60;
// While requests need the connections.
constexpr uint32_t crowded_after_s = 1;
// A head may take as much as the conf's largest limit allows, and its parser as much again.
constexpr size_t arena_size_max_bytes = 3 * 1024 * 1024;
constexpr size_t target_max_bytes = 1024;

bool shows(const ProviderState& state, std::string_view name) {
  return state.discovered != nullptr && state.discovered->names.contains(name);
}

// Behind "provider/", else empty.
std::string_view name_at(const catalog::Provider& provider, std::string_view name) {
  if (!name.starts_with(provider.name)) return {};
  name.remove_prefix(provider.name.size());
  return name.starts_with('/') ? name.substr(1) : std::string_view();
}

}  // namespace

catalog::Resolution find_discovered(const Snapshot& snapshot, std::string_view name) {
  const catalog::Catalog& catalog = snapshot.config->catalog;
  for (const catalog::Provider& provider : catalog.providers()) {
    const std::string_view there = name_at(provider, name);
    if (!there.empty() && shows(snapshot.providers[provider.index], there))
      return catalog.resolve_discovered(provider, there);
  }
  for (const catalog::Provider& provider : catalog.providers()) {
    if (shows(snapshot.providers[provider.index], name))
      return catalog.resolve_discovered(provider, name);
  }
  return {};
}

std::shared_ptr<DiscoveredModels> discovered_models(const Snapshot* old,
                                                    const catalog::Provider& provider,
                                                    const std::shared_ptr<upstream::Pool>& pool) {
  for (size_t i = 0; old != nullptr && i < old->providers.size(); ++i) {
    const catalog::Provider& before = old->config->catalog.providers()[i];
    const bool same = before.name == provider.name && before.dialect == provider.dialect &&
                      before.base_url == provider.base_url && old->providers[i].pool == pool;
    if (same && old->providers[i].discovered != nullptr) return old->providers[i].discovered;
  }
  return std::make_shared<DiscoveredModels>();
}

Discovery::Discovery(io::Runtime& runtime, MemoryBudget& bodies)
    : runtime_(runtime),
      arena_(runtime.blocks, arena_size_max_bytes),
      body_(runtime.blocks, bodies) {}

Discovery::~Discovery() { stop(); }

void Discovery::follow(std::shared_ptr<const Snapshot> snapshot) {
  if (stopped_) return;
  cancel();
  asked_ = std::move(snapshot);
  for (const ProviderState& state : asked_->providers) {
    if (state.discovered == nullptr) continue;
    const uint64_t wait_ms = runtime_.random.below(first_look_within_ms);
    state.discovered->due = runtime_.clock.now() + wait_ms * ns_per_ms;
  }
  schedule();
}

void Discovery::stop() {
  stopped_ = true;
  cancel();
  asked_.reset();
}

// The timer for whoever is due first; at equal times the conf's order holds.
void Discovery::schedule() {
  const DiscoveredModels* first = nullptr;
  for (size_t i = 0; i < asked_->providers.size(); ++i) {
    const DiscoveredModels* one = asked_->providers[i].discovered.get();
    if (one == nullptr || (first != nullptr && first->due <= one->due)) continue;
    first = one;
    index_ = i;
  }
  if (first != nullptr) runtime_.timers.arm(timer_, first->due);
}

void Discovery::on_timer() {
  if (state_ == State::wait) {
    begin();
  } else {
    fail("no answer in time");
  }
}

void Discovery::begin() {
  upstream::Pool& pool = *provider_state().pool;
  // One for this, one for a request.
  if (pool.free_count() < 2) {
    end(crowded_after_s);
    return;
  }
  state_ = State::connect;
  runtime_.timers.arm(timer_, runtime_.clock.now() + settings().timeout_ms * ns_per_ms);
  // A fresh one: warm connections are for requests, and one that has died unnoticed fails nothing.
  if (upstream::Connection* connection = pool.borrow(*this, true)) on_borrowed(connection);
}

void Discovery::on_borrowed(upstream::Connection* connection) {
  connection_ = connection;
  state_ = State::answer;
  connection_->begin(this, arena_);
  if (!send_request()) fail("its request does not fit");
}

bool Discovery::send_request() {
  const std::string_view prefix = provider().base_url.path_prefix;
  const std::string_view path = dialect::provider_models_path(provider().dialect);
  char target[target_max_bytes];
  if (prefix.size() + path.size() > sizeof(target)) return false;
  path.copy(target + prefix.copy(target, prefix.size()), path.size());
  io::WriteQueue& output = connection_->output();
  char* place = output.reserve(Relay::head_size_max_bytes);
  if (place == nullptr) return false;
  http::HeadWriter writer(place, Relay::head_size_max_bytes);
  writer.request_line("GET", {target, prefix.size() + path.size()});
  write_provider_headers(writer, provider(), provider_state(), 0);
  if (provider().dialect == catalog::Dialect::anthropic)
    writer.header("anthropic-version", provider().api_version);
  writer.end();
  if (!writer.complete()) return false;
  output.commit(writer.size());
  connection_->flush();
  return true;
}

void Discovery::on_borrow_failed(Error error) { fail(name_of(error.code)); }

void Discovery::on_response_head(const http::ResponseHead& head) {
  if (head.status == 200) return;
  char why[32];
  std::snprintf(why, sizeof(why), "status %u", static_cast<unsigned>(head.status));
  fail(why);
}

void Discovery::on_response_body(std::string_view bytes) {
  if (bytes.size() > settings().response_max_bytes - body_.size()) {
    fail("more bytes than discovery.response_max_bytes");
  } else if (!body_.append(bytes)) {
    fail("the gateway's memory is full");
  }
}

void Discovery::on_response_complete(bool released) {
  connection_ = nullptr;
  if (!released) ++leaving_;
  if (const char* problem = take_list()) {
    fail(problem);
    return;
  }
  provider_state().counters->lists_taken.add();
  provider_state().discovered->failing = false;
  end(settings().interval_s);
}

// The list takes the old one's place. What is wrong with it, else nullptr.
const char* Discovery::take_list() {
  catalog::NameSet names;
  switch (dialect::read_provider_models(provider().dialect, body_.view(), settings().models_max,
                                        names)) {
    case dialect::ProviderModels::malformed: return "the answer is no list of models";
    case dialect::ProviderModels::too_many: return "more names than discovery.models_max";
    case dialect::ProviderModels::read: break;
  }
  provider_state().discovered->names = std::move(names);
  return nullptr;
}

void Discovery::on_response_failed(Error error, bool released) {
  connection_ = nullptr;
  if (!released) ++leaving_;
  fail(name_of(error.code));
}

void Discovery::fail(const char* why) {
  DiscoveredModels& discovered = *provider_state().discovered;
  provider_state().counters->lists_failed.add();
  if (!std::exchange(discovered.failing, true)) {
    log_warning("discovery: the list of models of provider " + provider().name +
                " could not be had: " + why + "; the one before stays");
  }
  end(std::min(settings().interval_s, again_after_s));
}

// The look is over, whatever came of it; the next of this provider is `next_s` away, give or take a
// tenth.
void Discovery::end(uint64_t next_s) {
  cancel();
  const uint64_t next_ms = next_s * 1000;
  const uint64_t wait_ms = next_ms - next_ms / 10 + runtime_.random.below(next_ms / 5);
  provider_state().discovered->due = runtime_.clock.now() + wait_ms * ns_per_ms;
  schedule();
}

// Gives up what runs. Nothing calls back but, of a connection that is closing, `on_released`.
void Discovery::cancel() {
  runtime_.timers.cancel(timer_);
  if (state_ == State::connect) provider_state().pool->cancel(*this);
  if (connection_ != nullptr && !connection_->abandon()) ++leaving_;
  connection_ = nullptr;
  state_ = State::wait;
  arena_.reset();
  body_.release();
}

}  // namespace hyperion::gateway
