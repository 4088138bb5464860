// What is done to the bytes of an answer that was right, for the faults that spoil it.
//
// Called by the delivery of a connection, on a plain body or on one event at a time. Pure, on
// strings; whatever the text is, the result is well defined.
#pragma once

#include <cstdint>
#include <string>

#include "simulator/dialect.h"

namespace hyperion::simulator {

// Keeps the first half, and ends the event all the same.
void halve(std::string& event, EventForm form);

// Numbers become strings; the words of the answer (text, content, arguments and the like) a number.
void spoil_types(std::string& text);

// One gzip stream (RFC 1952) that compresses nothing: blocks stored as they are.
class StoredGzip {
 public:
  // Puts `text` into blocks, and before the first of them the head.
  void wrap(std::string& text);
  // Appends the end.
  void finish(std::string& out);

 private:
  bool begun_ = false;
  uint32_t crc_ = 0xffffffff;  // before the last inversion
  uint32_t size_ = 0;
};

}  // namespace hyperion::simulator
