// What the simulated providers served and what they got: the bill and the record of requests.
//
// One Ledger is shared by all Simulators of a process, each on its thread: the bill is a handful of
// atomics, the record a ring under a mutex. The bill counts what was really sent, at the
// catalogue's prices, so that a test can compare it with what the gateway believes to have spent.
// The record holds the bytes of requests as they arrived, to prove that a gateway changed nothing;
// it is bounded in number (conf; 0 switches it off and costs nothing) and in bytes, the oldest go
// first. It shows credentials as they came: simulated providers are not to be given real ones.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/model.h"
#include "http/head.h"

namespace hyperion::simulator {

// What an answer counts; the parts of the input are apart.
struct TokenCounts {
  uint64_t input = 0;  // neither read from a cache nor written to one
  uint64_t cached = 0;
  uint64_t cache_write = 0;
  uint64_t cache_write_1h = 0;
  uint64_t output = 0;

  uint64_t whole_input() const { return input + cached + cache_write + cache_write_1h; }
};

struct Bill {
  uint64_t requests = 0;  // whose answer began with a 200
  int64_t nano_usd = 0;
  uint64_t input_tokens = 0;  // cached ones included
  uint64_t cached_tokens = 0;
  uint64_t cache_write_tokens = 0;
  uint64_t output_tokens = 0;
  uint64_t unpriced = 0;   // of `requests`: models without a price in the catalogue
  uint64_t received = 0;   // every request with a complete head, refused and failed ones included
  uint64_t malformed = 0;  // connections that sent what is not HTTP
};

class Ledger {
 public:
  explicit Ledger(size_t requests_recorded_max) : requests_max_(requests_recorded_max) {}
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  void count_received() { received_.fetch_add(1, std::memory_order_relaxed); }
  void count_malformed() { malformed_.fetch_add(1, std::memory_order_relaxed); }
  // Books one answer; `model` may be nullptr for what costs nothing.
  void charge(const catalog::Model* model, const TokenCounts& counts);
  Bill bill() const;

  bool records() const { return requests_max_ != 0; }
  void record(std::string_view method, const http::RequestHead& head, std::string_view body);
  // A JSON array, oldest first: number, method, target, headers (pairs), body_size, sha256 and body
  // (base64) of each.
  std::string requests_json() const;

  void reset();

 private:
  struct Request {
    uint64_t number;  // of all recorded, from 1
    std::string method;
    std::string target;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    size_t size() const;
  };

  // Of all records together; the newest one is kept whatever its size (a body is bounded by http).
  static constexpr size_t bytes_max = size_t{64} * 1024 * 1024;

  const size_t requests_max_;
  std::atomic<uint64_t> received_{0};
  std::atomic<uint64_t> malformed_{0};
  std::atomic<uint64_t> charged_{0};
  std::atomic<uint64_t> unpriced_{0};
  std::atomic<uint64_t> input_tokens_{0};
  std::atomic<uint64_t> cached_tokens_{0};
  std::atomic<uint64_t> cache_write_tokens_{0};
  std::atomic<uint64_t> output_tokens_{0};
  std::atomic<int64_t> pico_usd_{0};
  mutable std::mutex mutex_;
  std::deque<Request> requests_;
  size_t bytes_ = 0;
  uint64_t next_number_ = 1;
};

}  // namespace hyperion::simulator
