#include "catalog/name_table.h"

#include <cstring>

#include "base/assert.h"

namespace hyperion::catalog {
namespace {

uint64_t load(const char* bytes, size_t size) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, size);
  return value;
}

uint64_t mix(uint64_t value) {
  // Multiply and fold, as wyhash does; the constant is its first secret.
  const unsigned __int128 product = static_cast<unsigned __int128>(value) * 0xa0761d6478bd642full;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Eight bytes a step. Names come from the conf, so nobody can crowd the table by choice.
uint32_t hash_of(std::string_view text) {
  uint64_t state = text.size() ^ 0xe7037ed1a0b428dbull;
  const char* bytes = text.data();
  size_t left = text.size();
  for (; left >= 8; bytes += 8, left -= 8) state = mix(state ^ load(bytes, 8));
  if (left > 0) state = mix(state ^ load(bytes, left));
  return static_cast<uint32_t>(state ^ (state >> 32));
}

}  // namespace

bool NameTable::insert(std::string_view name, Match match, uint16_t deployment, uint16_t model) {
  if (name.empty() || name.size() > name_size_max_bytes || find(name) != nullptr) return false;
  Name row;
  row.hash = hash_of(name);
  row.offset = static_cast<uint32_t>(text_.size());
  row.size = static_cast<uint16_t>(name.size());
  row.deployment = deployment;
  row.model = model;
  row.match = match;
  text_ += name;
  names_.push_back(row);
  if (names_.size() * 2 > slots_.size()) {
    grow();
  } else {
    place(static_cast<uint32_t>(names_.size()));
  }
  return true;
}

const Name* NameTable::find(std::string_view name) const {
  if (slots_.empty()) return nullptr;
  const uint32_t hash = hash_of(name);
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask; slots_[i] != 0; i = (i + 1) & mask) {
    const Name& row = names_[slots_[i] - 1];
    if (row.hash == hash && text(row) == name) return &row;
  }
  return nullptr;
}

void NameTable::place(uint32_t number) {
  const size_t mask = slots_.size() - 1;
  size_t i = names_[number - 1].hash & mask;
  while (slots_[i] != 0) i = (i + 1) & mask;
  slots_[i] = number;
}

void NameTable::grow() {
  slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, 0);
  HYPERION_ASSERT(names_.size() * 2 <= slots_.size());
  for (uint32_t number = 1; number <= names_.size(); ++number) place(number);
}

}  // namespace hyperion::catalog
