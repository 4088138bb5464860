#include "http/head_text.h"

#include "base/assert.h"

namespace hyperion::http {

bool HeadText::start(Arena& arena, size_t header_count_max) {
  headers_.items = arena.allocate_array<Header>(header_count_max + 1);
  if (headers_.items == nullptr) return false;
  restart();
  return true;
}

void HeadText::restart() {
  headers_.count = 0;
  headers_.items[0] = Header();
  headers_moved_ = 0;
  line_ = {};
}

void HeadText::begin_piece(Arena& arena, std::string_view piece) {
  HYPERION_ASSERT(piece.size() <= piece_size_max_bytes);
  arena_ = &arena;
  piece_ = piece;
  used_begin_ = nullptr;
  used_end_ = nullptr;
}

bool HeadText::extend_further(std::string_view& text, const char* at, size_t size) {
  if (!in_piece(text)) return arena_->append(text, {at, size});
  HYPERION_ASSERT(text.data() + text.size() == at);
  text = {text.data(), text.size() + size};
  used_end_ = at + size;
  return true;
}

bool HeadText::end_piece() {
  if (used_begin_ == nullptr) return true;
  std::string_view used(used_begin_, static_cast<size_t>(used_end_ - used_begin_));
  std::string_view moved = arena_->copy(used);
  if (moved.data() == nullptr) return false;
  auto move = [&](std::string_view& text) {
    if (in_piece(text)) text = {moved.data() + (text.data() - used.data()), text.size()};
  };
  move(line_);
  for (size_t i = headers_moved_; i <= headers_.count; ++i) {
    move(headers_.items[i].name);
    move(headers_.items[i].value);
  }
  headers_moved_ = headers_.count;
  return true;
}

}  // namespace hyperion::http
