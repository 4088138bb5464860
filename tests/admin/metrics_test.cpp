#include "admin/metrics.h"

#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace hyperion;
using gateway::Counters;

namespace {

struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;  // unescaped
  double value = 0;
};

bool is_name(const std::string& text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

// `{name="value",...}` from `at`, which is left behind the closing brace.
bool read_labels(const std::string& line, size_t& at, std::map<std::string, std::string>& labels) {
  ++at;
  while (at < line.size() && line[at] != '}') {
    const size_t equals = line.find("=\"", at);
    if (equals == std::string::npos) return false;
    const std::string name = line.substr(at, equals - at);
    std::string value;
    for (at = equals + 2; at < line.size() && line[at] != '"'; ++at) {
      if (line[at] != '\\') {
        value += line[at];
        continue;
      }
      const char escaped = ++at < line.size() ? line[at] : '?';
      if (escaped != '\\' && escaped != '"' && escaped != 'n') return false;
      value += escaped == 'n' ? '\n' : escaped;
    }
    if (!is_name(name) || !labels.emplace(name, value).second || at >= line.size()) return false;
    ++at;  // the quote
    if (at < line.size() && line[at] == ',') ++at;
  }
  return at < line.size() && line[at++] == '}';
}

bool read_sample(const std::string& line, Sample& sample) {
  size_t at = line.find_first_of("{ ");
  if (at == std::string::npos) return false;
  sample.name = line.substr(0, at);
  if (line[at] == '{' && !read_labels(line, at, sample.labels)) return false;
  if (!is_name(sample.name) || at >= line.size() || line[at] != ' ') return false;
  const std::string number = line.substr(at + 1);
  char* end = nullptr;
  sample.value = std::strtod(number.c_str(), &end);
  return !number.empty() && *end == '\0';
}

// A page as Prometheus reads it (text format 0.0.4): HELP and TYPE once for each family and before
// its samples, the samples of a family together, no series twice.
struct Page {
  std::map<std::string, std::string> types;
  std::vector<Sample> samples;

  static std::string family_of(const Page& page, const std::string& name) {
    for (const char* suffix : {"_bucket", "_sum", "_count"}) {
      if (!name.ends_with(suffix)) continue;
      const std::string base = name.substr(0, name.size() - std::string(suffix).size());
      const auto found = page.types.find(base);
      if (found != page.types.end() && found->second == "histogram") return base;
    }
    return name;
  }

  double value(const std::string& name, const std::map<std::string, std::string>& labels = {}) {
    for (const Sample& sample : samples) {
      if (sample.name == name && sample.labels == labels) return sample.value;
    }
    FAIL("no sample " << name);
    return -1;
  }
};

Page read_page(const std::string& text) {
  Page page;
  std::set<std::string> helped, closed;
  std::set<std::pair<std::string, std::map<std::string, std::string>>> series;
  std::string family;
  REQUIRE(text.ends_with('\n'));
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    CAPTURE(line);
    if (line.starts_with("# HELP ")) {
      const std::string name = line.substr(7, line.find(' ', 7) - 7);
      CHECK(is_name(name));
      CHECK(line.size() > 7 + name.size() + 1);
      CHECK(helped.insert(name).second);
    } else if (line.starts_with("# TYPE ")) {
      const size_t space = line.find(' ', 7);
      REQUIRE(space != std::string::npos);
      const std::string name = line.substr(7, space - 7);
      const std::string type = line.substr(space + 1);
      CHECK((type == "counter" || type == "gauge" || type == "histogram"));
      CHECK(helped.count(name) == 1);
      CHECK(page.types.emplace(name, type).second);
      closed.insert(family);
      family = name;
    } else {
      Sample sample;
      REQUIRE(read_sample(line, sample));
      CHECK(Page::family_of(page, sample.name) == family);
      CHECK(closed.count(family) == 0);
      CHECK(series.emplace(sample.name, sample.labels).second);
      page.samples.push_back(sample);
    }
  }
  CHECK(helped.size() == page.types.size());
  return page;
}

Page page_of(const std::vector<const Counters*>& shards, const admin::ProcessCounts& process = {}) {
  return read_page(admin::render_metrics(shards, process));
}

void check_histogram(const Page& page, const std::string& name, double count) {
  double last = -1;
  double last_bound = -1;
  bool ended = false;
  for (const Sample& sample : page.samples) {
    if (sample.name != name + "_bucket") continue;
    CHECK_FALSE(ended);
    REQUIRE(sample.labels.size() == 1);
    const double bound = std::strtod(sample.labels.at("le").c_str(), nullptr);  // "+Inf" too
    CHECK(bound > last_bound);
    CHECK(sample.value >= last);
    last = sample.value;
    last_bound = bound;
    ended = sample.labels.at("le") == "+Inf";
  }
  CHECK(ended);
  CHECK(last == count);
  CHECK(Page(page).value(name + "_count") == count);
}

}  // namespace

TEST_CASE("the page of idle shards is valid and all zero") {
  auto shard = std::make_unique<Counters>();
  const Page page = page_of({shard.get()});
  CHECK(page.samples.size() > 40);
  for (const Sample& sample : page.samples) CHECK(sample.value == 0);
  // Without any shard as well.
  page_of({});
}

TEST_CASE("counters are summed over shards, open connections are shown for each") {
  Counters one, two;
  one.connections_accepted.add(3);
  two.connections_accepted.add(4);
  one.connections_open.set(1);
  two.connections_open.set(2);
  one.outcomes[static_cast<size_t>(gateway::Outcome::failed)].add(5);
  two.status_class[5].add(6);
  Page page = page_of({&one, &two}, {.reloads = 7, .reloads_refused = 8});
  CHECK(page.value("hyperion_connections_accepted_total") == 7);
  CHECK(page.value("hyperion_connections_open", {{"shard", "0"}}) == 1);
  CHECK(page.value("hyperion_connections_open", {{"shard", "1"}}) == 2);
  CHECK(page.value("hyperion_requests_total", {{"outcome", "failed"}}) == 5);
  CHECK(page.value("hyperion_responses_total", {{"class", "5xx"}}) == 6);
  CHECK(page.value("hyperion_reloads_total", {{"result", "taken"}}) == 7);
  CHECK(page.value("hyperion_reloads_total", {{"result", "refused"}}) == 8);
}

TEST_CASE("what was refused is told by reason and priority, and the fullest shard shows") {
  Counters one, two;
  const auto low = static_cast<size_t>(resilience::Priority::low);
  const auto memory = static_cast<size_t>(gateway::ShedReason::memory);
  const auto key = static_cast<size_t>(gateway::ShedReason::key_concurrency);
  one.requests_shed[memory][low].add(2);
  two.requests_shed[memory][low].add(3);
  two.requests_shed[key][static_cast<size_t>(resilience::Priority::high)].add(7);
  one.admission_level.set(1);
  two.admission_level.set(3);
  one.loop_lag_us.set(2500);
  two.loop_turn_longest_us.set(1'500'000);
  Page page = page_of({&one, &two});
  const char* name = "hyperion_requests_shed_total";
  CHECK(page.value(name, {{"reason", "memory"}, {"priority", "low"}}) == 5);
  CHECK(page.value(name, {{"reason", "memory"}, {"priority", "normal"}}) == 0);
  CHECK(page.value(name, {{"reason", "key_concurrency"}, {"priority", "high"}}) == 7);
  CHECK(page.value("hyperion_admission_level") == 3);
  CHECK(page.value("hyperion_loop_lag_seconds") == doctest::Approx(0.0025));
  CHECK(page.value("hyperion_loop_turn_longest_seconds") == 1.5);
}

TEST_CASE("a provider of several shards is one series") {
  Counters one, two;
  one.providers.get("acme")->attempts.add(1);
  two.providers.get("acme")->attempts.add(2);
  two.providers.get("other")->attempts.add(4);
  one.providers.get("acme")->prompt_tokens.add(10);
  two.providers.get("acme")->completion_tokens.add(20);
  one.providers.get("acme")->status_class[4].add(3);
  Page page = page_of({&one, &two});
  CHECK(page.value("hyperion_upstream_attempts_total", {{"provider", "acme"}}) == 3);
  CHECK(page.value("hyperion_upstream_attempts_total", {{"provider", "other"}}) == 4);
  CHECK(page.value("hyperion_upstream_answers_total", {{"provider", "acme"}, {"class", "4xx"}}) ==
        3);
  CHECK(page.value("gen_ai_client_token_usage_total",
                   {{"provider", "acme"}, {"gen_ai_token_type", "input"}}) == 10);
  CHECK(page.value("gen_ai_client_token_usage_total",
                   {{"provider", "acme"}, {"gen_ai_token_type", "output"}}) == 20);
}

TEST_CASE("no name of a provider can break its line or become another series") {
  const std::vector<std::string> names = {"a\"} 1\nhyperion_evil_total{x=\"",
                                          "back\\slash",
                                          "\\",
                                          "\"",
                                          "\n",
                                          "\\n",
                                          "a\\\"b",
                                          "}",
                                          "{}",
                                          ",",
                                          "",
                                          "caf\xC3\xA9",
                                          "# HELP x y"};
  Counters shard;
  for (size_t i = 0; i < names.size(); ++i) shard.providers.get(names[i])->attempts.add(i + 1);
  Page page = page_of({&shard});
  for (size_t i = 0; i < names.size(); ++i) {
    CAPTURE(names[i]);
    CHECK(page.value("hyperion_upstream_attempts_total", {{"provider", names[i]}}) ==
          static_cast<double>(i + 1));
  }
  CHECK(page.types.count("hyperion_evil_total") == 0);
}

TEST_CASE("histograms are cumulative and end with all that was counted") {
  Counters one, two;
  uint64_t sum_us = 0;
  for (uint64_t us = 1; us < 200'000'000; us = us * 3 + 1) {
    one.request_duration_us.record(us);
    two.request_duration_us.record(us * 2);
    sum_us += us * 3;
  }
  const double count = 2.0 * static_cast<double>(one.request_duration_us.count());
  REQUIRE(count > 20);
  Page page = page_of({&one, &two});
  check_histogram(page, "hyperion_request_duration_seconds", count);
  check_histogram(page, "hyperion_overhead_seconds", 0);
  check_histogram(page, "gen_ai_server_time_to_first_token_seconds", 0);
  CHECK(page.value("hyperion_request_duration_seconds_sum") ==
        doctest::Approx(static_cast<double>(sum_us) / 1e6));
  // Values beyond the last bound are in +Inf alone.
  double beneath = 0;
  for (const Sample& sample : page.samples) {
    const bool bucket = sample.name == "hyperion_request_duration_seconds_bucket";
    if (bucket && sample.labels.at("le") != "+Inf") beneath = sample.value;
  }
  CHECK(beneath < count);
}

TEST_CASE("times of the page are seconds") {
  Counters shard;
  shard.overhead_us.record(40);
  shard.overhead_us.record(2'000'000);
  Page page = page_of({&shard});
  CHECK(page.value("hyperion_overhead_seconds_sum") == doctest::Approx(2.00004));
  CHECK(page.value("hyperion_overhead_seconds_bucket", {{"le", "0.000050"}}) == 1);
  CHECK(page.value("hyperion_overhead_seconds_bucket", {{"le", "1.000000"}}) == 1);
  CHECK(page.value("hyperion_overhead_seconds_bucket", {{"le", "2.500000"}}) == 2);
}
