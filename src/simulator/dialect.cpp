#include "simulator/dialect.h"

#include <algorithm>

#include "simulator/anthropic.h"
#include "simulator/gemini.h"
#include "simulator/openai.h"

namespace hyperion::simulator {
namespace {

// Those first whose routes want more than a path.
constexpr const Dialect* all_dialects[] = {&anthropic_dialect, &gemini_dialect, &openai_dialect};

// What a path says of its model: ".../models/NAME:method".
std::string_view model_of(std::string_view path) {
  constexpr std::string_view folder = "/models/";
  const size_t at = path.rfind(folder);
  if (at == std::string_view::npos) return {};
  path.remove_prefix(at + folder.size());
  return path.substr(0, path.find(':'));
}

// "/eu-west/v1/chat/completions" is what "/v1/chat/completions" is: one label before the version
// names a region or a deployment, so that outages can tell them apart.
std::string_view without_region(std::string_view path) {
  constexpr std::string_view version = "/v1";
  if (path.starts_with(version)) return path;
  const size_t end = path.find('/', 1);
  if (end == std::string_view::npos || end == 1 || !path.substr(end).starts_with(version)) {
    return path;
  }
  return path.substr(end);
}

bool matches(const Route& route, std::string_view path, std::string_view& tail) {
  if (!route.has_tail) return path == route.path;
  if (!path.starts_with(route.path)) return false;
  tail = path.substr(route.path.size());
  return !tail.empty();
}

}  // namespace

std::string_view Call::raw(json::Key key) const {
  if (!body_is_json || !scan[key].present()) return {};
  const json::Field& field = scan[key];
  return body.substr(field.value_begin, field.value_end - field.value_begin);
}

std::string_view Call::model_name() const {
  if (!path_model.empty()) return path_model;
  return body_is_json ? scan.model : tail;
}

bool Generation::next_is_token() const {
  if (script.empty()) {
    return position >= opening_events && position - opening_events < token_events;
  }
  return !finished() && script.events[position].tokens != script.tokens_before(position);
}

bool Generation::next_is_first_token() const {
  if (script.empty()) return position == opening_events;
  return next_is_token() && script.tokens_before(position) == 0;
}

bool Generation::finished() const {
  if (!script.empty()) return position == script.events.size();
  return position == opening_events + token_events + closing_events;
}

uint32_t Generation::tokens_sent() const {
  if (!script.empty()) return script.tokens_before(position);
  const uint32_t past = position > opening_events ? position - opening_events : 0;
  return std::min(past, token_events);
}

void write_scripted_event(const Generation& generation, std::string& out) {
  out += generation.script.event(generation.position);
}

void Answer::clear() {
  status = 200;
  retry_after_s = 0;
  should_not_retry = false;
  body.clear();
  write_event = nullptr;
  generation = {};
  model = nullptr;
  counts = {};
}

std::span<const Dialect* const> dialects() { return all_dialects; }

const Dialect& default_dialect() { return openai_dialect; }

bool has_bearer_key(const http::RequestHead& head) {
  const std::string_view value = head.headers.find("authorization");
  constexpr std::string_view scheme = "Bearer ";
  return value.size() > scheme.size() &&
         http::equal_ignoring_case(value.substr(0, scheme.size()), scheme);
}

Destination find_route(const http::RequestHead& head) {
  Destination destination;
  destination.dialect = &default_dialect();
  const std::string_view path = without_region(head.path);
  for (const Dialect* dialect : all_dialects) {
    for (const Route& route : dialect->routes) {
      std::string_view tail;
      if (!matches(route, path, tail)) continue;
      if (!route.header.empty() && head.headers.find(route.header).data() == nullptr) continue;
      destination.dialect = dialect;
      destination.path_known = true;
      if (route.method != head.method) continue;
      destination.route = &route;
      destination.tail = tail;
      if (route.has_tail) destination.path_model = model_of(path);
      return destination;
    }
  }
  return destination;
}

}  // namespace hyperion::simulator
