#include "sim/provider.h"

#include <algorithm>

#include "sim/violation.h"

namespace hyperion::sim {
namespace {

// What stands between two marks; empty if the first is not there.
std::string text_between(const std::string& body, const std::string& mark, char end) {
  size_t at = body.find(mark);
  if (at == std::string::npos) return {};
  at += mark.size();
  return body.substr(at, body.find(end, at) - at);
}

}  // namespace

Provider::Provider(const Surroundings& surroundings, SimStream& stream, size_t index)
    : around_(surroundings),
      world_(surroundings.world),
      stream_(stream),
      book_(surroundings.book),
      index_(index),
      parser_(limits_),
      arena_(surroundings.world.blocks(), 256 * 1024),
      alive_(std::make_shared<bool>(true)) {}

Provider::~Provider() { *alive_ = false; }

// In order, each a random time after the one before: never at the same, which has no order.
void Provider::then(std::function<void()> action) {
  uint64_t now = world_.clock().now().ns;
  busy_until_ns_ = std::max(busy_until_ns_, now) + 1 + world_.random().below(2 * ns_per_ms);
  world_.after(busy_until_ns_ - now, [alive = alive_, action = std::move(action)] {
    if (*alive) action();
  });
}

void Provider::on_bytes(std::string_view bytes) {
  while (!bytes.empty() && !closed_ && !ended_) {
    bool begins = parser_.state() == http::RequestParser::State::idle;
    // The gateway has seen every byte of the surplus and asks on.
    if (begins && surplus_at_ != 0 && stream_.delivered_bytes() >= surplus_at_) {
      note_violation("a connection with surplus bytes was used again");
    }
    size_t used = parser_.feed(bytes, arena_, *this);
    bytes.remove_prefix(used);
    using State = http::RequestParser::State;
    if (parser_.state() == State::head_ready) {
      read_head();
      parser_.continue_body();
    }
    if (parser_.state() == State::complete) {
      on_request();
      parser_.next(limits_);
      arena_.reset();
      body_.clear();
    }
    if (parser_.state() == State::failed) {
      note_violation("the provider got a malformed request: %s", parser_.rejection().reason);
      return;
    }
  }
}

bool Provider::on_body(std::string_view bytes) {
  body_.append(bytes);
  return true;
}

void Provider::on_gateway_closed(bool) {
  if (!number_.empty()) {
    served().over = true;
    served().lost = stream_.delivered_bytes() < sent_bytes_;
    if (busy_) served().answer_seen = stream_.delivered_bytes() > delivered_at_request_;
  }
  closed_ = true;
  *alive_ = false;
  alive_ = std::make_shared<bool>(false);
}

Behaviour Provider::choose(bool stream) {
  Random& random = world_.random();
  const Climate& climate = around_.climate;
  if (const Outage* outage = climate.outage_at(index_, key_, world_.clock().now().ns)) {
    refusal_ = refusal_of(*outage);
    return choose_in(*outage);
  }
  const bool good = climate.only_good || climate.steady[index_] || climate.blameless ||
                    !random.chance(climate.troubled ? 4 : 3, 5);
  if (good) {
    if (climate.blameless && requests_ > 1 && random.chance(1, 6)) return Behaviour::reset_on_reuse;
    if (climate.blameless && !climate.steady[index_] && random.chance(1, 3)) {
      draw_refusal();
      return Behaviour::error_status;
    }
    if (!stream) return static_cast<Behaviour>(random.below(4));
    return random.chance(1, 8) ? Behaviour::stream_large : Behaviour::stream;
  }
  while (true) {
    auto behaviour = static_cast<Behaviour>(random.below(static_cast<uint64_t>(Behaviour::count)));
    if (random.chance(1, 3)) behaviour = Behaviour::error_status;
    if (behaviour == Behaviour::reset_on_reuse && requests_ < 2) continue;
    if (behaviour == Behaviour::error_status) draw_refusal();
    return behaviour;
  }
}

void Provider::draw_refusal() {
  const std::span<const Refusal> all = refusals();
  do {
    refusal_ = &all[world_.random().below(all.size())];
  } while (around_.climate.blameless && !is_blameless(*refusal_));
}

Behaviour Provider::choose_in(const Outage& outage) {
  switch (outage.kind) {
    case Outage::Kind::refuses:
    case Outage::Kind::resets: return Behaviour::reset_before;
    case Outage::Kind::stalls: return Behaviour::stall_head;
    default: return Behaviour::error_status;
  }
}

const Refusal* Provider::refusal_of(const Outage& outage) const {
  const uint16_t status = outage.kind == Outage::Kind::rate_limited  ? 429
                          : outage.kind == Outage::Kind::key_refused ? 401
                                                                     : 503;
  for (const Refusal& refusal : refusals()) {
    if (refusal.status == status) return &refusal;
  }
  return nullptr;
}

void Provider::read_head() {
  const http::RequestHead& head = parser_.head();
  const catalog::Provider& provider = around_.config.catalog.providers()[index_];
  target_ = head.target;
  const char* header = "authorization";
  std::string prefix = "Bearer ";
  std::string_view path = "/v1/chat/completions";
  wire_ = dialect::Wire::openai_chat;
  if (provider.dialect == catalog::Dialect::anthropic) {
    wire_ = dialect::Wire::anthropic;
    header = "x-api-key";
    path = "/v1/messages";
  } else if (provider.dialect == catalog::Dialect::gemini) {
    wire_ = dialect::Wire::gemini;
    header = "x-goog-api-key";
    path = "/v1beta/models/";
  }
  if (wire_ != dialect::Wire::openai_chat) prefix.clear();
  if (wire_ == dialect::Wire::gemini ? !head.path.starts_with(path) : head.path != path)
    note_violation("provider %s was asked on %s", provider.name.c_str(), target_.c_str());
  array_ = wire_ == dialect::Wire::gemini && head.path.ends_with(":streamGenerateContent") &&
           head.query != "alt=sse";
  size_t key = 0;
  while (key < provider.key_count() &&
         head.headers.find(header) != prefix + std::string(provider.reveal_key(key))) {
    ++key;
  }
  if (key == provider.key_count()) note_violation("the provider did not get a key of its own");
  key_ = static_cast<uint8_t>(key);
}

bool Provider::asked_for_stream() const {
  if (wire_ == dialect::Wire::gemini)
    return target_.find(":streamGenerateContent") != std::string::npos;
  return body_.find("\"stream\":true") != std::string::npos;
}

std::string Provider::asked_model() const {
  return wire_ == dialect::Wire::gemini ? text_between(target_, "/v1beta/models/", ':')
                                        : text_between(body_, "\"model\":\"", '"');
}

void Provider::on_request() {
  ++requests_;
  if (busy_) {
    note_violation("a second request on a connection that is not done with the first (%s)",
                   name_of(served().behaviour));
  }
  busy_ = true;
  delivered_at_request_ = stream_.delivered_bytes();
  number_ = text_between(body_, "number ", ';');
  if (body_.find("hyperion") != std::string::npos)
    note_violation("a key of Hyperion's own reached the provider");
  if (book_.begun.contains(number_)) note_violation("an attempt after the answer had begun");
  const bool stream = asked_for_stream();
  refusal_ = nullptr;
  const Behaviour behaviour = choose(stream);
  served_index_ = book_.tries[number_].size();
  book_.tries[number_].emplace_back();
  Served& entry = served();
  entry.behaviour = behaviour;
  entry.refusal = behaviour == Behaviour::error_status ? refusal_ : nullptr;
  write_down(stream);
  if (!begin_answer(behaviour)) return;
  if (behaviour == Behaviour::informational) send("HTTP/1.1 102 Processing\r\n\r\n");
  if (stream && behaviour != Behaviour::error_status) {
    answer_stream(behaviour);
  } else {
    answer_plain(behaviour);
  }
}

void Provider::write_down(bool stream) {
  Served& entry = served();
  entry.behind_surplus = surplus_at_ != 0 && delivered_at_request_ < surplus_at_;
  entry.key = key_;
  entry.wire = wire_;
  entry.stream = stream;
  entry.array = array_;
  entry.request_body = body_;
  entry.begun_ns = world_.clock().now().ns;
  const std::string model = asked_model();
  for (const catalog::Deployment& deployment : around_.config.catalog.deployments()) {
    const bool here = deployment.provider->index == index_;
    if (here && deployment.upstream_model == model) entry.deployment = &deployment;
  }
  if (entry.deployment == nullptr) {
    note_violation("a provider was asked for model '%s'", model.c_str());
    entry.deployment = &around_.config.catalog.deployments()[0];
    return;
  }
  const resilience::Health& health = *around_.health;
  entry.breaker =
      health.breaker(health.target_of(*entry.deployment, key_)).state(world_.clock().now());
}

bool Provider::begin_answer(Behaviour behaviour) {
  switch (behaviour) {
    case Behaviour::reset_before:
    case Behaviour::reset_on_reuse: end_connection(true); return false;
    case Behaviour::stall_head: return false;
    case Behaviour::garbage: send("SSH-2.0-OpenSSH_9.2\r\n\r\n\x01\x02"); return false;
    case Behaviour::two_lengths:
      send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}");
      return false;
    case Behaviour::huge_head:
      send("HTTP/1.1 200 OK\r\nX-Filler: " + std::string(200'000, 'x') + "\r\n\r\n");
      return false;
    case Behaviour::cut_head:
      send("HTTP/1.1 200 OK\r\nContent-Ty");
      end_connection(false);
      return false;
    default: return true;
  }
}

void Provider::send(std::string bytes, std::string body, bool last) {
  then([this, bytes = std::move(bytes), body = std::move(body), last] {
    if (closed_) return;
    Served& entry = served();
    entry.answer_body += body;
    if (last) {
      entry.finished = !entry.stream || entry.behaviour != Behaviour::no_end_marker;
      entry.finished_ns = world_.clock().now().ns;
      busy_ = false;
    }
    sent_bytes_ += bytes.size();
    entry.sent_end = sent_bytes_;
    if (last && entry.behaviour == Behaviour::surplus) {
      // The gateway will not keep that connection.
      surplus_at_ = sent_bytes_;
      ++book_.losses;
    }
    stream_.deliver(bytes);
  });
}

void Provider::end_connection(bool reset) {
  then([this, reset] {
    ended_ = true;
    ++book_.losses;
    served().cut = true;
    if (reset) {
      stream_.deliver_reset();
    } else {
      stream_.deliver_end();
    }
  });
}

}  // namespace hyperion::sim
