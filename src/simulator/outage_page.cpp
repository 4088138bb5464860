#include "simulator/outage_page.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "config/keys.h"
#include "config/outage_values.h"
#include "json/escapes.h"
#include "json/writer.h"
#include "simulator/outages.h"

namespace hyperion::simulator {
namespace {

using config::Outage;
using config::Value;

// Reads values of a body, each with the line on which it begins.
class Reader {
 public:
  explicit Reader(std::string_view body) : body_(body) {}

  Value read(JsonValue from) const {
    Value value;
    value.line = line_of(from.raw());
    switch (from.kind()) {
      case json::Kind::boolean:
        value.kind = Value::Kind::boolean;
        value.boolean = from.is_true();
        break;
      case json::Kind::number: read_number(from.raw(), value); break;
      case json::Kind::string:
        value.kind = Value::Kind::text;
        value.text = from.text();
        value.text.resize(json::unescape(from.text(), value.text.data(), value.text.size()));
        break;
      case json::Kind::array:
        value.kind = Value::Kind::list;
        for (JsonValue item : from) value.items.push_back(read(item));
        break;
      case json::Kind::object:
        value.kind = Value::Kind::table;
        for (JsonValue child : from) {
          value.members.push_back({std::string(child.key()), line_of(child.key()), read(child)});
        }
        break;
      default: break;
    }
    return value;
  }

 private:
  static void read_number(std::string_view raw, Value& value) {
    const auto [end, failure] = std::from_chars(raw.data(), raw.data() + raw.size(), value.integer);
    if (failure == std::errc() && end == raw.data() + raw.size()) {
      value.kind = Value::Kind::integer;
      return;
    }
    value.kind = Value::Kind::real;
    value.real = std::strtod(std::string(raw).c_str(), nullptr);
  }
  uint32_t line_of(std::string_view part) const {
    const char* end = part.data() != nullptr ? part.data() : body_.data();
    return static_cast<uint32_t>(std::count(body_.data(), end, '\n')) + 1;
  }

  std::string_view body_;
};

// Whoever may read the page need not learn a key from it.
std::string shown_key(std::string_view key) {
  constexpr size_t shown = 4;
  return "..." + std::string(key.size() > 2 * shown ? key.substr(key.size() - shown) : "");
}

// What an outage was given; what is empty or nothing is left out.
void write_fields(Outage& outage, json::Writer& writer) {
  for (const auto& key : config::outage_keys()) {
    const config::Slot slot = key.slot(outage);
    if (const auto* text = std::get_if<std::string*>(&slot)) {
      const bool faultless =
          key.name == "fault" &&
          !config::row_of(static_cast<config::OutageKind>(outage.kind)).has_fault;
      if ((*text)->empty() || faultless) continue;
      writer.member(key.name, std::string_view(key.name == "api_key" ? shown_key(**text) : **text));
    } else if (const auto* number = std::get_if<uint64_t*>(&slot)) {
      if (**number != 0) writer.member(key.name, **number);
    } else if (const auto* small = std::get_if<uint32_t*>(&slot)) {
      if (**small != 0) writer.member(key.name, uint64_t{**small});
    } else if (const auto* choice = std::get_if<config::Choice>(&slot)) {
      writer.member(key.name, key.rule.choices[*choice->chosen]);
    }
  }
}

}  // namespace

bool read_outage_body(std::string_view body, JsonTree& tree, Outage& outage, std::string& problem) {
  std::vector<config::OutageProblem> problems;
  config::read_outage(Reader(body).read(tree.read(body)), outage, problems);
  for (const config::OutageProblem& each : problems) {
    problem += (problem.empty() ? "line " : "; line ") + std::to_string(each.line) + ": ";
    if (!each.key.empty()) problem += each.key + ": ";
    problem += each.message;
  }
  return problems.empty();
}

std::string Outages::json(Instant now) const {
  // Three texts of a KiB at most, of which a byte may take six.
  std::string buffer(32 * 1024, '\0');
  const uint64_t now_ms = ms_at(now);
  std::string text = "{\"now_ms\": " + std::to_string(now_ms) + ", \"outages\": [";
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    Outage outage = entry.outage;
    json::Writer writer(buffer.data(), buffer.size());
    writer.begin_object();
    write_fields(outage, writer);
    writer.member("state", name_of(moment_of(outage, now_ms).state));
    writer.member("requests", entry.requests);
    writer.member("struck", entry.struck);
    writer.end_object();
    text += &entry == &entries_.front() ? "\n  " : ",\n  ";
    text += writer.complete() ? writer.text() : std::string_view("{}");
  }
  return text + "]}\n";
}

}  // namespace hyperion::simulator
