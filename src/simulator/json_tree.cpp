#include "simulator/json_tree.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace hyperion::simulator {

using json::Kind;

json::Kind JsonValue::kind() const {
  return tree_ == nullptr ? Kind::absent : tree_->nodes_[index_].kind;
}

std::string_view JsonValue::raw() const {
  return tree_ == nullptr ? std::string_view() : tree_->nodes_[index_].raw;
}

std::string_view JsonValue::text() const {
  const std::string_view whole = raw();
  return is_string() && whole.size() >= 2 ? whole.substr(1, whole.size() - 2) : std::string_view();
}

std::string_view JsonValue::key() const {
  return tree_ == nullptr ? std::string_view() : tree_->nodes_[index_].key;
}

double JsonValue::number() const {
  return is_number() ? std::strtod(std::string(raw()).c_str(), nullptr) : 0;
}

bool JsonValue::is_integer() const {
  return is_number() && raw().find_first_of(".eE") == std::string_view::npos;
}

uint32_t JsonValue::size() const { return tree_ == nullptr ? 0 : tree_->nodes_[index_].count; }

JsonValue JsonValue::operator[](std::string_view key) const {
  if (!is_object()) return {};
  for (JsonValue child : *this) {
    if (child.key() == key) return child;
  }
  return {};
}

JsonValue JsonValue::at(uint32_t index) const {
  for (JsonValue child : *this) {
    if (index-- == 0) return child;
  }
  return {};
}

JsonValue::Iterator& JsonValue::Iterator::operator++() {
  index_ = tree_->nodes_[index_].next;
  return *this;
}

JsonValue::Iterator JsonValue::begin() const {
  return {tree_, tree_ == nullptr ? JsonTree::none : tree_->nodes_[index_].first};
}

JsonValue::Iterator JsonValue::end() const { return {tree_, JsonTree::none}; }

JsonValue JsonTree::read(std::string_view text) {
  nodes_.clear();
  text_ = text;
  at_ = 0;
  return {this, read_value(0)};
}

void JsonTree::skip_blanks() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n')) {
    ++at_;
  }
}

// From the opening quote to behind the closing one; gives what is between.
std::string_view JsonTree::read_string() {
  const size_t begin = ++at_;
  while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
  if (at_ >= text_.size()) {
    at_ = text_.size();
    return {};
  }
  return text_.substr(begin, at_++ - begin);
}

uint32_t JsonTree::read_value(int depth) {
  skip_blanks();
  const auto index = static_cast<uint32_t>(nodes_.size());
  nodes_.emplace_back();
  const size_t begin = at_;
  const char first = at_ < text_.size() ? text_[at_] : '\0';
  switch (first) {
    case '{':
    case '[':
      nodes_[index].kind = first == '{' ? Kind::object : Kind::array;
      if (depth < depth_max) {
        read_children(index, depth);
      } else {
        at_ = text_.size();
      }
      break;
    case '"':
      nodes_[index].kind = Kind::string;
      read_string();
      break;
    default:
      nodes_[index].kind = first == 'n'                   ? Kind::null
                           : first == 't' || first == 'f' ? Kind::boolean
                                                          : Kind::number;
      at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
  }
  nodes_[index].raw = text_.substr(begin, at_ - begin);
  return index;
}

void JsonTree::read_children(uint32_t parent, int depth) {
  const bool object = nodes_[parent].kind == Kind::object;
  const char closing = object ? '}' : ']';
  uint32_t last = none;
  ++at_;
  while (true) {
    skip_blanks();
    if (at_ >= text_.size()) return;
    if (text_[at_] == closing) break;
    if (text_[at_] == ',') {
      ++at_;
      continue;
    }
    std::string_view key;
    if (object) {
      if (text_[at_] != '"') return;
      key = read_string();
      skip_blanks();
      if (at_ < text_.size() && text_[at_] == ':') ++at_;
    }
    const size_t before = at_;
    const uint32_t child = read_value(depth + 1);
    if (at_ == before) return;  // not JSON: never stand still
    nodes_[child].key = key;
    (last == none ? nodes_[parent].first : nodes_[last].next) = child;
    last = child;
    ++nodes_[parent].count;
  }
  ++at_;
}

}  // namespace hyperion::simulator
