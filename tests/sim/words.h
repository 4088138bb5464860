// What a simulated provider says, in the words of its dialect.
//
// A Speaker makes one answer: whole, or as a stream of an opening, pieces of text, perhaps a tool
// call, and a closing, each as the bytes of whole events (or of pieces of a JSON array). Ids, texts
// and numbers are fixed by what it was made with, so that a test can make the same words again.
#pragma once

#include <string>

#include "dialect/wire.h"
#include "sim/behaviour.h"

namespace hyperion::sim {

// The words of a provider that is overloaded, wherever it says so.
inline constexpr const char* overload_message = "simulated overload";

class Speaker {
 public:
  // `array`: a Gemini stream without SSE.
  Speaker(dialect::Wire wire, bool array, std::string id)
      : wire_(wire), array_(array), id_(std::move(id)) {}

  std::string whole_answer(const std::string& text) const;
  std::string refusal(const Refusal& refusal) const;  // the body of an error

  std::string opening();
  std::string text(const std::string& piece);
  std::string tool_call();
  std::string closing();
  std::string failure();        // an error within the stream
  std::string comment() const;  // bytes that say nothing
  std::string half_event() const;
  std::string event_without_end(const std::string& filler) const;

 private:
  std::string event(const std::string& name, const std::string& data);
  std::string chunk(const std::string& delta, const std::string& finish);
  std::string close_block();

  dialect::Wire wire_;
  bool array_;
  std::string id_;
  bool begun_ = false;   // of an array: an element has come
  bool called_ = false;  // a tool
};

}  // namespace hyperion::sim
