// Names in order, without a value: what a provider's own list of models shows.
//
// Filled once by `add`, put in order by `seal`, only read afterwards. Sorted rather than hashed:
// the names are a provider's choice, and none of them can make a search slow. All lie in one
// string; `contains` does not allocate and is a dozen comparisons. Cannot fail.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hyperion::catalog {

class NameSet {
 public:
  // A name may come twice.
  void add(std::string_view name) {
    rows_.push_back({static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(name.size())});
    text_ += name;
  }
  void seal() {
    const auto less = [this](Row a, Row b) { return text(a) < text(b); };
    const auto same = [this](Row a, Row b) { return text(a) == text(b); };
    std::sort(rows_.begin(), rows_.end(), less);
    rows_.erase(std::unique(rows_.begin(), rows_.end(), same), rows_.end());
  }

  bool contains(std::string_view name) const {
    const auto less = [this](Row row, std::string_view wanted) { return text(row) < wanted; };
    const auto place = std::lower_bound(rows_.begin(), rows_.end(), name, less);
    return place != rows_.end() && text(*place) == name;
  }
  size_t size() const { return rows_.size(); }
  std::string_view operator[](size_t number) const { return text(rows_[number]); }

 private:
  struct Row {
    uint32_t offset;
    uint32_t size;
  };
  std::string_view text(Row row) const { return {text_.data() + row.offset, row.size}; }

  std::string text_;
  std::vector<Row> rows_;
};

}  // namespace hyperion::catalog
