#include "simulator/ledger.h"

#include "json/writer.h"
#include "simulator/base64.h"
#include "tls/sha256.h"

namespace hyperion::simulator {
namespace {

constexpr int64_t pico_per_nano = 1000;

void append_string(std::string& out, std::string_view text) {
  const size_t begin = out.size();
  // An escaped byte takes six at most.
  const size_t room = text.size() * 6 + 2;
  out.resize(begin + room);
  out.resize(begin + json::write_string(out.data() + begin, room, text));
}

// Pico-dollars; -1: something was used that has no price.
int64_t cost_of(const catalog::Model& model, const TokenCounts& counts) {
  const catalog::Prices* prices = &model.prices;
  for (const catalog::PriceTier& tier : model.price_tiers) {
    if (counts.whole_input() > tier.above_tokens) prices = &tier.prices;
  }
  const struct {
    uint64_t tokens;
    int64_t price;
  } parts[] = {{counts.input, prices->input},
               {counts.cached, prices->cached_input},
               {counts.cache_write, prices->cache_write},
               {counts.cache_write_1h, prices->cache_write_1h},
               {counts.output, prices->output}};
  int64_t pico = 0;
  for (const auto& part : parts) {
    if (part.tokens == 0) continue;
    if (part.price < 0) return -1;
    pico += static_cast<int64_t>(part.tokens) * part.price;
  }
  return pico;
}

}  // namespace

void Ledger::charge(const catalog::Model* model, const TokenCounts& counts) {
  charged_.fetch_add(1, std::memory_order_relaxed);
  input_tokens_.fetch_add(counts.whole_input(), std::memory_order_relaxed);
  output_tokens_.fetch_add(counts.output, std::memory_order_relaxed);
  if (counts.whole_input() != counts.input) {
    cached_tokens_.fetch_add(counts.cached, std::memory_order_relaxed);
    cache_write_tokens_.fetch_add(counts.cache_write + counts.cache_write_1h,
                                  std::memory_order_relaxed);
  }
  if (model == nullptr) return;
  const int64_t pico = cost_of(*model, counts);
  if (pico < 0) {
    unpriced_.fetch_add(1, std::memory_order_relaxed);
  } else {
    pico_usd_.fetch_add(pico, std::memory_order_relaxed);
  }
}

Bill Ledger::bill() const {
  Bill bill;
  bill.requests = charged_.load(std::memory_order_relaxed);
  bill.nano_usd = pico_usd_.load(std::memory_order_relaxed) / pico_per_nano;
  bill.input_tokens = input_tokens_.load(std::memory_order_relaxed);
  bill.cached_tokens = cached_tokens_.load(std::memory_order_relaxed);
  bill.cache_write_tokens = cache_write_tokens_.load(std::memory_order_relaxed);
  bill.output_tokens = output_tokens_.load(std::memory_order_relaxed);
  bill.unpriced = unpriced_.load(std::memory_order_relaxed);
  bill.received = received_.load(std::memory_order_relaxed);
  bill.malformed = malformed_.load(std::memory_order_relaxed);
  return bill;
}

size_t Ledger::Request::size() const {
  size_t bytes = method.size() + target.size() + body.size();
  for (const auto& [name, value] : headers) bytes += name.size() + value.size();
  return bytes;
}

void Ledger::record(std::string_view method, const http::RequestHead& head, std::string_view body) {
  if (!records()) return;
  Request request{0, std::string(method), std::string(head.target), {}, std::string(body)};
  request.headers.reserve(head.headers.count);
  for (size_t i = 0; i < head.headers.count; ++i) {
    request.headers.emplace_back(head.headers.items[i].name, head.headers.items[i].value);
  }
  std::lock_guard lock(mutex_);
  request.number = next_number_++;
  bytes_ += request.size();
  requests_.push_back(std::move(request));
  while (requests_.size() > requests_max_ || (bytes_ > bytes_max && requests_.size() > 1)) {
    bytes_ -= requests_.front().size();
    requests_.pop_front();
  }
}

std::string Ledger::requests_json() const {
  std::lock_guard lock(mutex_);
  std::string out = "[";
  for (const Request& request : requests_) {
    if (out.size() > 1) out += ',';
    out += "\n{\"number\":" + std::to_string(request.number) + ",\"method\":";
    append_string(out, request.method);
    out += ",\"target\":";
    append_string(out, request.target);
    out += ",\"headers\":[";
    for (size_t i = 0; i < request.headers.size(); ++i) {
      out += i == 0 ? "[" : ",[";
      append_string(out, request.headers[i].first);
      out += ',';
      append_string(out, request.headers[i].second);
      out += ']';
    }
    const auto hex = tls::hex_of(tls::sha256(request.body));
    out += "],\"body_size\":" + std::to_string(request.body.size()) + ",\"sha256\":\"";
    out.append(hex.data(), hex.size());
    out += "\",\"body\":\"";
    append_base64(out, request.body);
    out += "\"}";
  }
  return out + "\n]\n";
}

void Ledger::reset() {
  for (auto* counter : {&received_, &malformed_, &charged_, &unpriced_, &input_tokens_,
                        &cached_tokens_, &cache_write_tokens_, &output_tokens_}) {
    counter->store(0, std::memory_order_relaxed);
  }
  pico_usd_.store(0, std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  requests_.clear();
  bytes_ = 0;
  next_number_ = 1;
}

}  // namespace hyperion::simulator
