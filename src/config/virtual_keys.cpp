#include "config/virtual_keys.h"

#include <bit>
#include <cstring>

namespace hyperion::config {
namespace {

uint64_t first_bytes(const tls::Sha256& hash) {
  uint64_t value = 0;
  std::memcpy(&value, hash.bytes.data(), sizeof(value));
  return value;
}

}  // namespace

VirtualKeys::VirtualKeys(std::vector<VirtualKey> keys) : keys_(std::move(keys)) {
  slots_.assign(std::bit_ceil(keys_.size() * 2 + 2), 0);
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < keys_.size(); ++i) {
    keys_[i].index = static_cast<uint32_t>(i);
    size_t slot = first_bytes(keys_[i].hash) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<uint32_t>(i + 1);
  }
}

const VirtualKey* VirtualKeys::find(const tls::Sha256& hash) const {
  static const VirtualKey nobody;
  const VirtualKey* candidate = &nobody;
  if (!slots_.empty()) {
    const size_t mask = slots_.size() - 1;
    for (size_t i = first_bytes(hash) & mask; slots_[i] != 0; i = (i + 1) & mask) {
      const VirtualKey& key = keys_[slots_[i] - 1];
      if (first_bytes(key.hash) != first_bytes(hash)) continue;
      candidate = &key;
      break;
    }
  }
  const bool equal = tls::constant_time_equal(candidate->hash.view(), hash.view());
  return equal && candidate != &nobody && !candidate->revoked ? candidate : nullptr;
}

}  // namespace hyperion::config
