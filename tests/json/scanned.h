// Helpers of the JSON tests: a text in memory that ends where its padding ends, and a scan of it.
//
// The memory is allocated to the byte, so that under ASan any read beyond json::padding_bytes is
// found. The padding is filled with a byte of the test's choice: what stands there must never
// matter.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "json/body_scan.h"
#include "json/splice.h"

namespace hyperion::test {

class PaddedText {
 public:
  explicit PaddedText(std::string_view text, char padding = '"')
      : size_(text.size()), memory_(new char[text.size() + json::padding_bytes]) {
    std::memcpy(memory_.get(), text.data(), size_);
    std::memset(memory_.get() + size_, padding, json::padding_bytes);
  }
  std::string_view view() const { return {memory_.get(), size_}; }

 private:
  size_t size_;
  std::unique_ptr<char[]> memory_;
};

// A scan, its outcome and all it refers to.
struct Scanned {
  explicit Scanned(std::string_view body, const json::Limits& limits = {}, char padding = '"')
      : text(body, padding), ok(scanner().scan(text.view(), limits, scan, error)) {
    model = scan.model;
  }

  static json::Scanner& scanner() {
    static json::Scanner shared(64 * 1024 * 1024);
    return shared;
  }

  // The value of a field, as it stands in the body.
  std::string_view value(json::Key key) const { return value(scan[key]); }
  std::string_view value(const json::Field& field) const {
    return text.view().substr(field.value_begin, field.value_end - field.value_begin);
  }
  std::string_view field() const { return error.field; }
  std::string_view expected() const { return error.expected; }
  // "field: expected"
  std::string message() const { return std::string(field()) + ": " + error.expected; }

  PaddedText text;
  json::Scan scan;
  json::ScanError error;
  bool ok;
  std::string model;  // outlives the scanner's next use
};

inline std::string joined(const json::SplicePlan& plan) {
  std::string out;
  for (size_t i = 0; i < plan.count; ++i) out += plan.pieces[i];
  return out;
}

}  // namespace hyperion::test
