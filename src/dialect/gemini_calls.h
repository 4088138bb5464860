// Collects tool calls whose arguments come in fragments: Gemini's clients want them whole.
//
// Fragments are kept in pieces from the arena, which are used again once a call is over, so that an
// answer takes as much as its calls that are open at once. Arguments are checked to be one JSON
// object, as they become part of the answer. Owned by the encoder of answers. Bounded by the arena:
// a call that finds no room is lost, which `out_of_memory` says; so is one that is not what it must
// be.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/byte_buffer.h"
#include "dialect/event.h"

namespace hyperion::dialect::gemini {

class CallCollector {
 public:
  struct Call {
    std::string_view id;  // insides of JSON strings
    std::string_view name;
    std::string_view signature;
    Maker signature_of = Maker::unknown;
    std::string_view arguments;  // JSON, valid until the next call
  };

  CallCollector(Arena& arena, ByteBuffer& scratch) : arena_(arena), scratch_(scratch) {}

  // Each for its kind of event. What does not fit together is passed over.
  void start(const Event& event);
  void add(const Event& event);
  // The call that the event ends. False: there is none, or it is not whole.
  bool finish(const Event& event, Call& call);
  // A call was lost for want of memory.
  bool out_of_memory() const { return out_of_memory_; }

 private:
  struct Piece;
  struct Open;

  Open** find(const Event& event);
  Piece* new_piece();
  std::string_view copy(std::string_view text);
  void add(Open& open, std::string_view fragment);

  Arena& arena_;
  ByteBuffer& scratch_;
  Open* open_ = nullptr;
  Open* spare_calls_ = nullptr;
  Piece* spare_pieces_ = nullptr;
  bool out_of_memory_ = false;
};

}  // namespace hyperion::dialect::gemini
