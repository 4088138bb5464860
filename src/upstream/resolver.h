// Names to addresses, on a thread of its own.
//
// getaddrinfo blocks and honours /etc/hosts and nsswitch, so it runs here and nowhere else: when a
// name is first watched and then at every refresh (jittered by a tenth; sooner while a name has no
// address). Each result goes to `publish`, called on this thread, which posts it to the shards'
// mailboxes; an empty list says that the name cannot be resolved now. One per process, owned by the
// server. Never on the request path.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "io/address.h"

namespace hyperion::upstream {

class Resolver {
 public:
  using Publish = std::function<void(const std::string& host, const std::vector<io::Address>&)>;

  explicit Resolver(Publish publish) : publish_(std::move(publish)) {}
  ~Resolver() { stop(); }
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Replaces the watched names; resolves them at once.
  void watch(std::vector<std::string> hosts, uint32_t refresh_ms);
  void stop();

 private:
  void run();

  Publish publish_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> hosts_;
  uint32_t refresh_ms_ = 30'000;
  uint64_t generation_ = 0;
  bool stopping_ = false;
};

// One blocking look-up; empty when the name has no address now.
std::vector<io::Address> resolve_blocking(const std::string& host);

}  // namespace hyperion::upstream
