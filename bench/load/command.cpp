#include "load/command.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace hyperion::bench {

namespace {

bool parse_number(std::string_view text, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

bool parse_processes(std::string_view text, std::vector<pid_t>& processes) {
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    uint64_t process = 0;
    if (!parse_number(text.substr(0, comma), process)) return false;
    processes.push_back(static_cast<pid_t>(process));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return true;
}

bool parse_plant(std::string_view text, Plant& plant) {
  struct Name {
    std::string_view text;
    Plant plant;
  };
  constexpr Name names[] = {{"wrong_byte", Plant::wrong_byte},
                            {"short_body", Plant::short_body},
                            {"wrong_event", Plant::wrong_event},
                            {"early_close", Plant::early_close},
                            {"server_error", Plant::server_error}};
  for (const Name& name : names) {
    if (name.text != text) continue;
    plant = name.plant;
    return true;
  }
  return false;
}

bool set_field(std::string_view key, std::string_view value, Command& command) {
  struct Number {
    std::string_view key;
    uint64_t* field;
  };
  const Number numbers[] = {{"port", &command.port},
                            {"connections", &command.connections},
                            {"warmup_ms", &command.warmup_ms},
                            {"window_ms", &command.window_ms},
                            {"rate", &command.rate},
                            {"seed", &command.seed},
                            {"requests", &command.requests},
                            {"prompt_bytes", &command.prompt_bytes},
                            {"events", &command.events},
                            {"gap_us", &command.gap_us},
                            {"spin", &command.spin}};
  for (const Number& number : numbers) {
    if (number.key == key) return parse_number(value, *number.field);
  }
  if (key == "mode") command.mode = value;
  if (key == "file") command.file = value;
  if (key == "mode" || key == "file") return true;
  if (key == "watch") return parse_processes(value, command.watched);
  if (key == "plant") return parse_plant(value, command.plant);
  return false;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += byte;
    } else if (code < 0x20 || code >= 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", code);
      out += escape;
    } else {
      out += byte;
    }
  }
  out += '"';
}

class JsonObject {
 public:
  JsonObject& text(std::string_view key, std::string_view value) {
    begin(key);
    append_quoted(out_, value);
    return *this;
  }
  JsonObject& number(std::string_view key, double value) {
    char digits[40];
    std::snprintf(digits, sizeof digits, "%.3f", value);
    begin(key);
    out_ += digits;
    return *this;
  }
  JsonObject& count(std::string_view key, uint64_t value) {
    begin(key);
    out_ += std::to_string(value);
    return *this;
  }
  JsonObject& boolean(std::string_view key, bool value) {
    begin(key);
    out_ += value ? "true" : "false";
    return *this;
  }
  JsonObject& object(std::string_view key, const JsonObject& value) {
    begin(key);
    out_ += value.finish();
    return *this;
  }
  std::string finish() const { return out_ + "}"; }

 private:
  void begin(std::string_view key) {
    if (out_.size() > 1) out_ += ',';
    append_quoted(out_, key);
    out_ += ':';
  }

  std::string out_ = "{";
};

JsonObject histogram_json(const Histogram& histogram) {
  JsonObject json;
  json.count("count", histogram.count());
  json.number("mean", histogram.mean_us());
  json.number("p50", histogram.quantile_us(0.5));
  json.number("p90", histogram.quantile_us(0.9));
  json.number("p99", histogram.quantile_us(0.99));
  json.number("p999", histogram.quantile_us(0.999));
  json.number("max", histogram.max_us());
  return json;
}

}  // namespace

std::string parse_command(std::string_view line, Command& command) {
  while (!line.empty()) {
    const size_t space = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, space);
    line.remove_prefix(std::min(space + 1, line.size()));
    if (word.empty()) continue;
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos ||
        !set_field(word.substr(0, equals), word.substr(equals + 1), command)) {
      return "not understood: " + std::string(word);
    }
  }
  const bool needs_port =
      command.mode == "closed" || command.mode == "open" || command.mode == "hold";
  if (!needs_port && command.mode != "release" && command.mode != "body") {
    return "mode must be closed, open, hold, release or body";
  }
  if (needs_port && (command.port == 0 || command.port > 65535)) return "port must be 1 to 65535";
  if (command.mode == "open" && command.rate == 0) return "mode=open needs rate";
  if (command.connections == 0) return "connections must be at least 1";
  return {};
}

std::string failure_json(std::string_view message) {
  return JsonObject().boolean("ok", false).text("error", message).finish();
}

std::string result_json(const Command& command, const RunResult& result,
                        const UpstreamCounts& upstream) {
  JsonObject failures;
  for (size_t kind = 0; kind < failure_kinds; kind++) {
    failures.count(name_of(static_cast<Failure>(kind)), result.failures[kind]);
  }
  failures.count("upstream_malformed", upstream.malformed);
  failures.count("upstream_altered", upstream.altered);
  JsonObject at_upstream;
  at_upstream.count("connections", upstream.connections).count("requests", upstream.requests);
  at_upstream.count("abandoned", upstream.abandoned);

  JsonObject json;
  json.text("mode", command.mode);
  json.boolean("ok", result.ok && upstream.malformed == 0 && upstream.altered == 0);
  json.number("seconds", result.seconds).count("answers", result.answers);
  const double seconds = result.seconds > 0 ? result.seconds : 1;
  json.number("answers_per_second", static_cast<double>(result.answers) / seconds);
  json.number("watched_cpu_us", static_cast<double>(result.watched_cpu_ns) / 1000.0);
  json.number("load_busy", result.load_busy).count("idle_closes", result.idle_closes);
  json.object("latency_us", histogram_json(result.latency));
  if (command.events > 0) {
    json.count("events", result.events);
    json.object("first_event_us", histogram_json(result.first_event));
    json.object("first_event_delay_us", histogram_json(result.first_event_delay));
    json.object("later_event_delay_us", histogram_json(result.later_event_delay));
    json.object("gap_change_us", histogram_json(result.gap_change));
  }
  json.object("upstream", at_upstream).object("failures", failures);
  if (!result.first_failure.empty()) json.text("first_failure", result.first_failure);
  return json.finish();
}

std::string idle_json(const Command& command, bool ok, uint64_t open, std::string_view failure) {
  JsonObject json;
  json.text("mode", command.mode).boolean("ok", ok).count("open", open);
  if (!failure.empty()) json.text("first_failure", failure);
  return json.finish();
}

}  // namespace hyperion::bench
