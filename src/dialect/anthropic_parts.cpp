#include "dialect/anthropic_parts.h"

namespace hyperion::dialect::anthropic {
namespace {

// The length of the blank that begins at `at`, plain or escaped; 0 if there is none.
size_t blank_length(std::string_view inside, size_t at) {
  const char c = inside[at];
  if (c == ' ' || c == '\t' || c == '\n' || c == '\r') return 1;
  if (c != '\\' || at + 1 >= inside.size()) return 0;
  const char letter = inside[at + 1];
  if (letter == 'n' || letter == 't' || letter == 'r' || letter == 'f') return 2;
  for (std::string_view code : {"0020", "0009", "000a", "000A", "000d", "000D", "00a0", "00A0"}) {
    if (letter == 'u' && inside.substr(at + 2, 4) == code) return 6;
  }
  return 0;
}

}  // namespace

uint64_t hash_of(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash != 0 ? hash : 1;
}

void CallSet::clear() {
  if (count_ == 0) return;
  for (size_t i = 0; i < slots_count; ++i) {
    hashes_[i] = 0;
    is_answered_[i] = false;
  }
  count_ = 0;
  answered_ = 0;
}

// Where the hash stands, or the free slot where it would.
size_t CallSet::slot_of(uint64_t hash) const {
  size_t slot = hash % slots_count;
  while (hashes_[slot] != 0 && hashes_[slot] != hash) slot = (slot + 1) % slots_count;
  return slot;
}

CallSet::Added CallSet::add(std::string_view id) {
  const uint64_t hash = hash_of(id);
  const size_t slot = slot_of(hash);
  if (hashes_[slot] == hash) return Added::repeated;
  if (count_ == calls_max) return Added::full;
  hashes_[slot] = hash;
  ++count_;
  return Added::yes;
}

bool CallSet::has(std::string_view id) const {
  const uint64_t hash = hash_of(id);
  return hashes_[slot_of(hash)] == hash;
}

CallSet::Answered CallSet::answer(std::string_view id) {
  const uint64_t hash = hash_of(id);
  const size_t slot = slot_of(hash);
  if (hashes_[slot] != hash) return Answered::unknown;
  if (is_answered_[slot]) return Answered::repeated;
  is_answered_[slot] = true;
  ++answered_;
  return Answered::yes;
}

bool is_blank(std::string_view inside) {
  for (size_t at = 0; at < inside.size();) {
    const size_t length = blank_length(inside, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

// Forwards, as a backslash means something else behind another.
std::string_view without_trailing_blanks(std::string_view inside) {
  size_t end = 0;
  for (size_t at = 0; at < inside.size();) {
    const size_t blank = blank_length(inside, at);
    if (blank == 0) {
      at += inside[at] == '\\' ? 2 : 1;
      end = at < inside.size() ? at : inside.size();
    } else {
      at += blank;
    }
  }
  return inside.substr(0, end);
}

}  // namespace hyperion::dialect::anthropic
