// What the vector tests of this folder share.
//
// Reading a suite line by line, running a stream whole and cut everywhere with the same result, and
// printing bytes so that a failure can be read. A missing suite gives no lines, and its case counts
// as skipped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "support/base64.h"
#include "support/http_run.h"
#include "support/json_reader.h"
#include "support/shared_data.h"

namespace hyperion::test {

inline std::string decoded(const Json& text) {
  const std::optional<std::string> bytes = decode_base64(text.text);
  REQUIRE(bytes.has_value());
  return *bytes;
}

// The lines of a suite's file; none where the shared data is missing (the case counts as skipped).
inline std::vector<Json> suite(std::string_view relative) {
  const auto path = shared_data(relative);
  if (!path) return {};
  const auto lines = read_json_lines(read_file(*path));
  REQUIRE(!lines.empty());
  return lines;
}

// Bytes as a C string literal shows them, shortened.
inline std::string shown(std::string_view bytes) {
  static const char* const digits = "0123456789abcdef";
  std::string text;
  for (char c : bytes.substr(0, 400)) {
    if (c == '\r') {
      text += "\\r";
    } else if (c == '\n') {
      text += "\\n";
    } else if (c >= 0x20 && c < 0x7f) {
      text += c;
    } else {
      text += {'\\', 'x', digits[static_cast<uint8_t>(c) >> 4], digits[c & 15]};
    }
  }
  return text;
}

// Calls `check` with cuts of a stream of that size: byte by byte, then every single split where
// that is affordable, else seeded ones.
template <class Check>
void for_each_cut(size_t size, Check check) {
  check(every_byte(size));
  constexpr size_t size_for_every_split_max_bytes = 2048;
  if (size <= size_for_every_split_max_bytes) {
    for (size_t at = 1; at < size; ++at) check(Cuts{at});
    return;
  }
  Random random(size);
  for (int i = 0; i < 64; ++i) check(Cuts{random.below(size)});
}

// The account of a whole stream, after making sure that no cut changes it.
template <class Run>
SeenConnection run_with_all_cuts(std::string_view bytes, Run run) {
  const SeenConnection whole = run(bytes, Cuts());
  for_each_cut(bytes.size(), [&](const Cuts& cuts) {
    const SeenConnection cut = run(bytes, cuts);
    if (cut == whole) return;
    INFO("bytes: " << shown(bytes));
    INFO("first cut at " << (cuts.empty() ? 0 : cuts[0]) << " of " << cuts.size());
    INFO("whole: " << whole.status << " " << whole.reason << name_of(whole.error));
    INFO("cut:   " << cut.status << " " << cut.reason << name_of(cut.error));
    CHECK(cut == whole);
  });
  return whole;
}

inline SeenConnection run_requests_with_all_cuts(std::string_view bytes) {
  return run_with_all_cuts(
      bytes, [](std::string_view stream, const Cuts& cuts) { return run_requests(stream, cuts); });
}

// The connection stays open after the bytes.
inline SeenConnection run_responses_with_all_cuts(std::string_view bytes) {
  return run_with_all_cuts(bytes, [](std::string_view stream, const Cuts& cuts) {
    return run_responses(stream, cuts, false);
  });
}

}  // namespace hyperion::test
