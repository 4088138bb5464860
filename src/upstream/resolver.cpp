#include "upstream/resolver.h"

#include <netdb.h>

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "base/random.h"

namespace hyperion::upstream {

namespace {

// A name that has no address is asked for again this soon: requests fail until it has one.
constexpr uint32_t unresolved_refresh_ms = 2000;

}  // namespace

std::vector<io::Address> resolve_blocking(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* first = nullptr;
  std::vector<io::Address> addresses;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &first) != 0) return addresses;
  for (addrinfo* info = first; info != nullptr; info = info->ai_next) {
    if (info->ai_family != AF_INET && info->ai_family != AF_INET6) continue;
    addresses.push_back(io::Address::from_sockaddr(info->ai_addr, info->ai_addrlen));
  }
  freeaddrinfo(first);
  return addresses;
}

void Resolver::watch(std::vector<std::string> hosts, uint32_t refresh_ms) {
  std::lock_guard lock(mutex_);
  hosts_ = std::move(hosts);
  refresh_ms_ = refresh_ms;
  ++generation_;
  if (!thread_.joinable() && !hosts_.empty()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

void Resolver::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Resolver::run() {
  SystemClock clock;
  Random random(clock.precise_now().ns);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    uint64_t generation = generation_;
    std::vector<std::string> hosts = hosts_;
    uint32_t refresh_ms = refresh_ms_;
    lock.unlock();
    for (const std::string& host : hosts) {
      {
        std::lock_guard check(mutex_);
        if (stopping_) break;
      }
      std::vector<io::Address> addresses = resolve_blocking(host);
      if (addresses.empty()) refresh_ms = std::min(refresh_ms, unresolved_refresh_ms);
      publish_(host, addresses);
    }
    lock.lock();
    uint64_t jitter_ms = random.below(refresh_ms / 10 + 1);
    changed_.wait_for(lock, std::chrono::milliseconds(refresh_ms + jitter_ms),
                      [&] { return stopping_ || generation_ != generation; });
  }
}

}  // namespace hyperion::upstream
