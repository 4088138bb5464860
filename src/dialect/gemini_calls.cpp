#include "dialect/gemini_calls.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "dialect/text.h"
#include "json/escapes.h"

namespace hyperion::dialect::gemini {
namespace {

// A few hundred bytes hold most calls; a file that is written takes many pieces.
constexpr size_t piece_size_bytes = 1000;

}  // namespace

struct CallCollector::Piece {
  Piece* next = nullptr;
  size_t size = 0;
  char bytes[piece_size_bytes];
};

struct CallCollector::Open {
  Open* next = nullptr;
  uint32_t choice = 0;
  uint32_t tool = 0;
  Call call;
  Piece* first = nullptr;
  Piece* last = nullptr;
  size_t size = 0;
  bool lost = false;
};

CallCollector::Open** CallCollector::find(const Event& event) {
  Open** at = &open_;
  while (*at != nullptr && ((*at)->choice != event.choice || (*at)->tool != event.tool)) {
    at = &(*at)->next;
  }
  return at;
}

void CallCollector::start(const Event& event) {
  if (*find(event) != nullptr) return;
  Open* open = spare_calls_;
  if (open != nullptr) {
    spare_calls_ = open->next;
  } else {
    void* const place = arena_.allocate(sizeof(Open), alignof(Open));
    out_of_memory_ |= place == nullptr;
    if (place == nullptr) return;
    open = static_cast<Open*>(place);
  }
  new (open) Open();
  open->choice = event.choice;
  open->tool = event.tool;
  open->call.id = copy(event.id);
  open->call.name = copy(event.name);
  open->call.signature = copy(event.signature);
  open->call.signature_of = event.signature_of;
  open->lost = open->call.name.empty();
  open->next = open_;
  open_ = open;
}

std::string_view CallCollector::copy(std::string_view text) {
  const std::string_view copied = arena_.copy(text);
  out_of_memory_ |= copied.size() != text.size();
  return copied;
}

CallCollector::Piece* CallCollector::new_piece() {
  Piece* piece = spare_pieces_;
  if (piece != nullptr) {
    spare_pieces_ = piece->next;
  } else {
    piece = static_cast<Piece*>(arena_.allocate(sizeof(Piece), alignof(Piece)));
    out_of_memory_ |= piece == nullptr;
    if (piece == nullptr) return nullptr;
  }
  piece->next = nullptr;
  piece->size = 0;
  return piece;
}

void CallCollector::add(const Event& event) {
  Open* const open = *find(event);
  if (open != nullptr) add(*open, event.text);
}

void CallCollector::add(Open& open, std::string_view fragment) {
  while (!fragment.empty() && !open.lost) {
    if (open.last == nullptr || open.last->size == piece_size_bytes) {
      Piece* const piece = new_piece();
      if (piece == nullptr) {
        open.lost = true;
        return;
      }
      (open.last != nullptr ? open.last->next : open.first) = piece;
      open.last = piece;
    }
    const size_t size = std::min(fragment.size(), piece_size_bytes - open.last->size);
    std::memcpy(open.last->bytes + open.last->size, fragment.data(), size);
    open.last->size += size;
    open.size += size;
    fragment.remove_prefix(size);
  }
}

bool CallCollector::finish(const Event& event, Call& call) {
  Open** const place = find(event);
  Open* const open = *place;
  if (open == nullptr) return false;
  *place = open->next;
  call = open->call;
  bool whole = !open->lost;
  scratch_.clear();
  char* const text = whole ? scratch_.extend(std::max<size_t>(open->size, 2)) : nullptr;
  out_of_memory_ |= whole && text == nullptr;
  whole = text != nullptr;
  size_t size = 0;
  for (Piece* piece = open->first; piece != nullptr && whole; piece = piece->next) {
    std::memcpy(text + size, piece->bytes, piece->size);
    size += piece->size;
  }
  if (open->last != nullptr) {
    open->last->next = spare_pieces_;
    spare_pieces_ = open->first;
  }
  open->next = spare_calls_;
  spare_calls_ = open;
  if (!whole) return false;
  if (size == 0) {
    call.arguments = "{}";
    return true;
  }
  call.arguments = {text, json::unescape({text, size}, text, size)};
  return is_json_object(call.arguments);
}

}  // namespace hyperion::dialect::gemini
