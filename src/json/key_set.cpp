#include "json/key_set.h"

#include <algorithm>
#include <bit>

#include "json/escapes.h"

namespace hyperion::json {
namespace {

// FNV-1a (Fowler, Noll, Vo) with a last mixing step, because slots are chosen by the low bits.
class Hash {
 public:
  void add(const char* bytes, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      value_ = (value_ ^ static_cast<unsigned char>(bytes[i])) * 0x100000001B3;
    }
  }
  uint64_t finish() const {
    const uint64_t mixed = (value_ ^ value_ >> 32) * 0x9E3779B97F4A7C15;
    const uint64_t hash = mixed ^ mixed >> 29;
    return hash != 0 ? hash : 1;
  }

 private:
  uint64_t value_ = 0xCBF29CE484222325;
};

uint64_t hash_of(std::string_view raw) {
  Hash hash;
  while (!raw.empty()) {
    const size_t plain = raw.substr(0, raw.find('\\')).size();
    hash.add(raw.data(), plain);
    raw.remove_prefix(plain);
    if (raw.empty()) break;
    // One escape, or the two of a surrogate pair.
    size_t length = raw.size() > 1 && raw[1] == 'u' ? 6 : 2;
    if (length == 6 && raw.size() >= 12 && (raw[2] | 0x20) == 'd' && raw[3] >= '8' &&
        raw[6] == '\\') {
      length = 12;
    }
    char bytes[4];
    hash.add(bytes, unescape(raw.substr(0, length), bytes, sizeof(bytes)));
    raw.remove_prefix(std::min(length, raw.size()));
  }
  return hash.finish();
}

}  // namespace

void KeySet::reset(size_t count) { slots_.assign(std::bit_ceil(count * 2 + 2), 0); }

size_t KeySet::slot_of(uint64_t hash) const {
  size_t slot = hash & (slots_.size() - 1);
  while (slots_[slot] != 0 && slots_[slot] != hash) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

void KeySet::insert(std::string_view raw) {
  const uint64_t hash = hash_of(raw);
  slots_[slot_of(hash)] = hash;
}

bool KeySet::contains(std::string_view raw) const { return slots_[slot_of(hash_of(raw))] != 0; }

}  // namespace hyperion::json
