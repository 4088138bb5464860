// The vectors of JSONTestSuite: each as a body, and as a value inside a body.

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "json/scanned.h"
#include "json/splice.h"
#include "support/json_reader.h"
#include "support/shared_data.h"

using namespace hyperion;
using test::Scanned;

namespace {

std::vector<std::filesystem::path> files_of(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// What may stand behind a body in memory; it must not change what is accepted.
constexpr char paddings[] = {'"', '}', ']', '1', ' ', '\0'};

// Is `text` valid JSON to the scanner, whatever its type?
bool is_valid(const std::string& text, char padding) {
  const Scanned scanned(text, {}, padding);
  return scanned.ok || (scanned.error.code == ErrorCode::wrong_type && scanned.field() == "body");
}

// Our choices where the suite leaves one. Numbers of any size pass through, as digits: what they
// mean is the provider's to say. Not accepted: anything that is not UTF-8, halves of surrogate
// pairs (Anthropic's parser refuses them as well), a byte order mark (RFC 8259 forbids sending
// one), nesting beyond the limit.
constexpr const char* accepted_by_choice[] = {
    "i_number_double_huge_neg_exp.json", "i_number_huge_exp.json",
    "i_number_neg_int_huge_exp.json",    "i_number_pos_double_huge_exp.json",
    "i_number_real_neg_overflow.json",   "i_number_real_pos_overflow.json",
    "i_number_real_underflow.json",      "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",     "i_number_very_big_negative_int.json",
};

bool expected_valid(const std::string& name) {
  if (name[0] != 'i') return name[0] == 'y';
  return std::find(std::begin(accepted_by_choice), std::end(accepted_by_choice), name) !=
         std::end(accepted_by_choice);
}

}  // namespace

TEST_CASE("JSONTestSuite: valid texts are accepted, invalid ones refused, the rest as we chose") {
  const auto directory = test::shared_data("suites/json-parsing/test_parsing");
  if (!directory) return;
  size_t count = 0;
  for (const auto& path : files_of(*directory)) {
    const std::string name = path.filename().string();
    const std::string text = test::read_file(path);
    for (const char padding : paddings) {
      CAPTURE(name);
      CAPTURE(padding);
      CHECK(is_valid(text, padding) == expected_valid(name));
      CHECK(is_valid("{\"x\":" + text + "}", padding) == expected_valid(name));
      // An empty text makes an empty array.
      const bool in_array = expected_valid(name) || name == "n_structure_no_data.json";
      CHECK(is_valid("{\"x\":[ " + text + " ]}", padding) == in_array);
    }
    ++count;
  }
  CHECK(count >= 200);
}

TEST_CASE("legal but odd texts go upstream with their meaning unchanged") {
  const auto directory = test::shared_data("suites/json-parsing/test_transform");
  if (!directory) return;
  size_t accepted = 0;
  for (const auto& path : files_of(*directory)) {
    CAPTURE(path.filename().string());
    const std::string text = test::read_file(path);
    const Scanned scanned(R"({"hyperion":{},"x":)" + text + R"(,"model":"a","smartRouting":true})");
    // Refused only for halves of surrogate pairs and for what is not UTF-8.
    if (!scanned.ok) {
      CHECK(scanned.error.code == ErrorCode::malformed_json);
      continue;
    }
    ++accepted;
    const std::string edited =
        test::joined(json::plan_upstream_body(scanned.text.view(), scanned.scan, "\"b\""));
    const auto meant = test::read_json(R"({"x":)" + text + R"(,"model":"b"})");
    REQUIRE(meant);
    CHECK(test::read_json(edited) == meant);
  }
  CHECK(accepted >= 10);
}
