// What the fuzz targets of the dialects share: the four of them, memory, and a receiver that holds
// the contract of event.h.
//
// A fuzz target has no test cases: what does not hold aborts, with a line that says what it was.
// Everything here is made anew for each input, with bounds like those of a request's memory.
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/anthropic.h"
#include "dialect/gemini.h"
#include "dialect/language.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_responses.h"
#include "dialect/text.h"
#include "json/validate.h"
#include "support/json_reader.h"

namespace hyperion::test {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

inline const dialect::Language& language_at(size_t index) {
  const std::array<const dialect::Language*, dialect::wires_count> all = {
      &dialect::openai_chat::language(), &dialect::openai_responses::language(),
      &dialect::anthropic::language(), &dialect::gemini::language()};
  return *all[index % all.size()];
}

struct FuzzMemory {
  BlockPool blocks{1024};
  MemoryBudget budget{32 << 20, 0};
  Arena arena{blocks, 8 << 20};
  ByteBuffer scratch{blocks, budget};
  ByteBuffer buffer{blocks, budget};
  json::Output out{buffer};
};

inline std::string unescaped(std::string_view inside) {
  const std::string quoted = "\"" + std::string(inside) + "\"";
  const auto value = read_json(quoted);
  require(value && value->is(Json::Kind::string), "a text is the inside of a JSON string");
  require(json::is_valid(quoted), "and UTF-8");
  return value->text;
}

// Passes events on and checks their order and their texts.
class EventChecker final : public dialect::EventReceiver {
 public:
  explicit EventChecker(dialect::EventReceiver* next = nullptr) : next_(next) {}

  bool ended = false;
  bool failed = false;
  std::string text;  // of the first choice
  dialect::Finish finish = dialect::Finish::stop;

  void on_event(const dialect::Event& event) override {
    using dialect::EventKind;
    require(!ended && !failed, "nothing follows the end");
    for (std::string_view inside :
         {event.text, event.id, event.name, event.model, event.signature}) {
      unescaped(inside);
    }
    if (event.kind == EventKind::error) {
      require(event.error != nullptr, "an error event has an error");
      require(event.error->kind != dialect::ErrorKind::none, "an error has a kind");
      unescaped(event.error->message);
      failed = true;
    } else if (event.kind == EventKind::start) {
      require(!started_, "a start comes once");
      started_ = true;
    } else if (event.kind == EventKind::usage) {
      require(event.usage != nullptr, "a usage event has a usage");
    } else {
      require(started_, "the start comes first");
      on_choice(event);
    }
    if (next_ != nullptr) next_->on_event(event);
  }

 private:
  struct Choice {
    std::vector<bool> open_tools;
    bool finished = false;
  };

  void on_choice(const dialect::Event& event) {
    using dialect::EventKind;
    if (event.kind == EventKind::end) {
      ended = true;
      for (const Choice& choice : choices_) {
        for (bool open : choice.open_tools) require(!open, "every tool ends");
      }
      return;
    }
    if (choices_.size() <= event.choice) choices_.resize(event.choice + 1);
    Choice& choice = choices_[event.choice];
    require(!choice.finished, "nothing of a choice follows its finish");
    if (event.kind == EventKind::tool_start) {
      require(event.tool == choice.open_tools.size(), "tools are numbered in order");
      choice.open_tools.push_back(true);
    } else if (event.kind == EventKind::tool_arguments || event.kind == EventKind::tool_end) {
      require(event.tool < choice.open_tools.size() && choice.open_tools[event.tool],
              "a tool's events come between its start and its end");
      if (event.kind == EventKind::tool_end) choice.open_tools[event.tool] = false;
    } else if (event.kind == EventKind::finish) {
      choice.finished = true;
      if (event.choice == 0) finish = event.finish;
    } else if (event.kind == EventKind::text && event.choice == 0) {
      text += unescaped(event.text);
    }
  }

  dialect::EventReceiver* next_;
  bool started_ = false;
  std::vector<Choice> choices_;
};

}  // namespace hyperion::test
