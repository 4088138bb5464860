// The JSON of a request as a tree, for dialects that judge every corner of it.
//
// One JsonTree belongs to a Simulator and is read anew for each request: nodes keep their memory,
// so the steady state allocates nothing. Views point into the request's body. Only for texts that
// the json Scanner has passed: on others it stops early, within its bounds, and shows what it had.
// Strings and keys are raw, escapes as they stand; numbers are texts until somebody asks.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "json/body_scan.h"

namespace hyperion::simulator {

class JsonTree;

// A value of the tree, or nothing (`absent`): what is asked of nothing is nothing again.
class JsonValue {
 public:
  JsonValue() = default;
  JsonValue(const JsonTree* tree, uint32_t index) : tree_(tree), index_(index) {}

  json::Kind kind() const;
  bool present() const { return tree_ != nullptr; }
  bool is(json::Kind kind_wanted) const { return kind() == kind_wanted; }
  bool is_string() const { return is(json::Kind::string); }
  bool is_number() const { return is(json::Kind::number); }
  bool is_object() const { return is(json::Kind::object); }
  bool is_array() const { return is(json::Kind::array); }
  bool is_boolean() const { return is(json::Kind::boolean); }
  bool is_true() const { return raw() == "true"; }
  // Absent, or null: most providers read both alike.
  bool is_nothing() const { return !present() || is(json::Kind::null); }

  std::string_view raw() const;   // the whole text of the value
  std::string_view text() const;  // of a string, between its quotes; else empty
  std::string_view key() const;   // of a member
  double number() const;          // of a number; else 0
  bool is_integer() const;        // a number without fraction and exponent
  uint32_t size() const;          // of an object or array

  JsonValue operator[](std::string_view key) const;
  JsonValue at(uint32_t index) const;

  class Iterator {
   public:
    Iterator(const JsonTree* tree, uint32_t index) : tree_(tree), index_(index) {}
    JsonValue operator*() const { return {tree_, index_}; }
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const JsonTree* tree_;
    uint32_t index_;
  };
  Iterator begin() const;
  Iterator end() const;

 private:
  const JsonTree* tree_ = nullptr;
  uint32_t index_ = 0;
};

class JsonTree {
 public:
  JsonValue read(std::string_view text);

 private:
  friend class JsonValue;
  static constexpr uint32_t none = UINT32_MAX;
  static constexpr int depth_max = 512;

  struct Node {
    json::Kind kind = json::Kind::null;
    std::string_view key;
    std::string_view raw;
    uint32_t first = none;  // child
    uint32_t next = none;   // of the same parent
    uint32_t count = 0;
  };

  uint32_t read_value(int depth);
  void read_children(uint32_t parent, int depth);
  void skip_blanks();
  std::string_view read_string();

  std::vector<Node> nodes_;
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace hyperion::simulator
