// Any bytes as a request body.
//
// Holds: the scanner agrees with an independent reader on what is JSON; an error is complete and
// bounded; what goes upstream from an accepted body is accepted again, has nothing of ours left,
// has the new model, and means the body edited as a tree. And any bytes written as a string are
// JSON.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "json/body_scan.h"
#include "json/edit_tree.h"
#include "json/scanned.h"
#include "json/splice.h"
#include "json/string_list.h"
#include "json/writer.h"
#include "support/json_reader.h"

using namespace hyperion;

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

void check_refused(const test::Scanned& scanned, std::string_view body) {
  const json::ScanError& error = scanned.error;
  require(error.code != ErrorCode::none, "an error has a code");
  require(error.position <= body.size(), "an error has a position within the body");
  require(!scanned.field().empty() && !scanned.expected().empty(), "an error says what about");
  if (error.code != ErrorCode::malformed_json) return;
  // What the independent reader does not look at.
  const std::string_view expected = scanned.expected();
  if (expected == "valid UTF-8" || expected.starts_with("an escape")) return;
  require(!test::read_json(body), "a body refused as malformed is malformed");
}

void check_lists(const test::Scanned& scanned) {
  const json::Options& options = scanned.scan.options;
  char scratch[64];
  std::string_view key;
  std::string_view text;
  for (const json::Field* field : {&options.fallbacks, &options.providers}) {
    if (!field->present()) continue;
    const auto list = test::read_json(scanned.value(*field));
    require(list && list->is(test::Json::Kind::array), "a list is an array");
    json::StringList strings(scanned.text.view(), *field, scratch, sizeof(scratch));
    for (const test::Json& element : list->elements) {
      require(strings.next(text), "every element is read");
      require(element.text == text || strings.truncated(), "an element is read as it is meant");
    }
    require(!strings.next(text), "a list ends");
  }
  if (!options.tags.present()) return;
  json::StringList tags(scanned.text.view(), options.tags, scratch, sizeof(scratch));
  while (tags.next(key, text)) {
  }
}

void check_accepted(const test::Scanned& scanned, bool keep_models) {
  const auto tree = test::read_json(scanned.text.view());
  require(tree && tree->is(test::Json::Kind::object), "an accepted body is a JSON object");
  const bool has_model = scanned.scan[json::Key::model].present();
  check_lists(scanned);

  const json::SplicePlan plan =
      json::plan_upstream_body(scanned.text.view(), scanned.scan, "\"new \\\"model\"", keep_models);
  const std::string edited = test::joined(plan);
  require(edited.size() == plan.size_bytes, "the plan knows its size");
  const auto edited_tree = test::read_json(edited);
  require(edited_tree && *edited_tree == test::edit_tree(*tree, "new \"model", keep_models),
          "parse after edit equals edit after parse");
  const test::Scanned again(edited);
  require(again.ok, "the edited body is accepted");
  require(!has_model || again.model == "new \"model", "the edited body has the new model");
  const bool kept = keep_models && again.scan[json::Key::models].present();
  require(again.scan.options.any == kept, "nothing of ours is left");
}

void check_written(std::string_view text) {
  std::string out(text.size() * 6 + 2, '\0');
  out.resize(json::write_string(out.data(), out.size(), text));
  const auto read = test::read_json(out);
  require(read && read->is(test::Json::Kind::string), "what is written is a JSON string");
  for (const char c : out) require(static_cast<unsigned char>(c) >= 0x20, "it is one line");
  const test::Scanned scanned("{\"model\":" + out + "}");
  require(scanned.ok && scanned.model == read->text, "the scanner reads what the writer wrote");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  // What stands behind the body varies and must not matter.
  constexpr char paddings[] = {'"', '}', ']', '1', '\\', ',', '\0', ' '};
  const char padding = paddings[size % sizeof(paddings)];
  const test::Scanned scanned(body, {}, padding);
  if (scanned.ok) {
    check_accepted(scanned, size % 2 == 1);
  } else {
    check_refused(scanned, body);
  }
  check_written(body);
  return 0;
}
