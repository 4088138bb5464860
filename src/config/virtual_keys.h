// The keys that clients present, as the conf lists them: by hash, never in clear.
//
// The gateway hashes what a client presents and asks `find`, which looks the hash up and then
// compares all of it in constant time. Unknown and revoked keys take the same steps, so that the
// time of the 401 says nothing. Built when a configuration is loaded, immutable afterwards; neither
// allocates nor fails on the request path.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "resilience/admission.h"
#include "tls/sha256.h"

namespace hyperion::config {

struct VirtualKey {
  std::string id;      // label of logs and metrics
  std::string name;    // for people
  tls::Sha256 hash;    // of the whole key as presented
  uint32_t index = 0;  // in VirtualKeys::all()
  bool revoked = false;
  bool test = false;  // an sk_test_ key: may ask for faults where `test_faults` is on
  uint64_t body_size_max_bytes = 0;      // 0: [limits] body_size_max_bytes
  uint32_t concurrent_requests_max = 0;  // over all shards; 0: none
  resilience::Priority priority = resilience::Priority::normal;
  std::vector<std::string> models = {"*"};
  catalog::DeploymentSet allowed;  // what `models` means in the catalogue of the same snapshot
};

class VirtualKeys {
 public:
  VirtualKeys() = default;
  explicit VirtualKeys(std::vector<VirtualKey> keys);

  // The key with this hash unless it is revoked, or nullptr.
  const VirtualKey* find(const tls::Sha256& hash) const;
  std::span<const VirtualKey> all() const { return keys_; }

 private:
  std::vector<VirtualKey> keys_;
  std::vector<uint32_t> slots_;  // index plus one, open addressing by the hash's first bytes
};

}  // namespace hyperion::config
