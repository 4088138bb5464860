#include "simulator/dialect.h"

#include "simulator/openai.h"

namespace hyperion::simulator {
namespace {

constexpr const Dialect* all_dialects[] = {&openai_dialect};

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

void Answer::clear() {
  status = 200;
  retry_after_s = 0;
  should_not_retry = false;
  body.clear();
  write_event = nullptr;
  generation = {};
  model = nullptr;
  input_tokens = 0;
  output_tokens = 0;
}

std::span<const Dialect* const> dialects() { return all_dialects; }

Destination find_route(const http::RequestHead& head) {
  Destination destination{all_dialects[0], nullptr, {}, false};
  for (const Dialect* dialect : all_dialects) {
    for (const Route& route : dialect->routes) {
      std::string_view tail;
      if (!matches(route, head.path, tail)) continue;
      destination.dialect = dialect;
      destination.path_known = true;
      if (route.method != head.method) continue;
      destination.route = &route;
      destination.tail = tail;
      return destination;
    }
  }
  return destination;
}

}  // namespace hyperion::simulator
