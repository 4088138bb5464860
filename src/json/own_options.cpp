#include "json/own_options.h"

#include <charconv>
#include <cmath>
#include <span>
#include <system_error>

#include "json/cursor.h"
#include "json/escapes.h"
#include "json/scan_errors.h"

namespace hyperion::json {
namespace {

struct OptionName {
  std::string_view snake;
  std::string_view camel;
};

enum Option : size_t {
  fallbacks,
  max_cost,
  providers,
  timeouts,
  explain,
  bypass_cache,
  cache_ttl,
  tags,
};

// In the order of `Option`.
constexpr OptionName option_names[] = {
    {"fallbacks", "fallbacks"}, {"max_cost", "maxCost"}, {"providers", "providers"},
    {"timeouts", "timeouts"},   {"explain", "explain"},  {"bypass_cache", "bypassCache"},
    {"cache_ttl", "cacheTtl"},  {"tags", "tags"},
};
constexpr std::string_view option_list =
    "fallbacks, max_cost, providers, timeouts, explain, bypass_cache, cache_ttl or tags";

constexpr OptionName timeout_names[] = {
    {"connect_ms", "connectMs"},
    {"first_token_ms", "firstTokenMs"},
    {"idle_ms", "idleMs"},
    {"total_ms", "totalMs"},
};
constexpr std::string_view timeout_list = "connect_ms, first_token_ms, idle_ms or total_ms";

constexpr size_t none = 8;  // no option has this number
static_assert(std::size(option_names) == none);

size_t find(std::span<const OptionName> names, std::string_view key) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (key == names[i].snake || key == names[i].camel) return i;
  }
  return none;
}

// Tells which option each member is, and refuses what is unknown, escaped or there already.
class Recogniser {
 public:
  Recogniser(std::span<const OptionName> names, std::string_view list, const Path& path)
      : names_(names), list_(list), path_(path) {}

  // `none` after a refusal.
  size_t recognise(const Members& members, ScanError& error) {
    const Parts field = {path_.body, path_.object, path_.inner, members.key};
    if (members.key.find('\\') != std::string_view::npos) {
      refuse(error, ErrorCode::duplicate_key, members.key_begin, field,
             {"a key spelled without escapes"});
      return none;
    }
    const size_t option = find(names_, members.key);
    if (option == none) {
      const bool at_top = members.key == "smart_routing" || members.key == "smartRouting";
      refuse(error, ErrorCode::unknown_key, members.key_begin, field,
             {at_top ? "smart_routing at the top of the body" : list_});
      return none;
    }
    std::string_view& spelled = spelled_[option];
    if (!spelled.empty()) {
      refuse(error, ErrorCode::duplicate_key, members.key_begin, field,
             {"it once, got ", spelled, " and ", members.key});
      return none;
    }
    spelled = members.key;
    return option;
  }

 private:
  std::span<const OptionName> names_;
  std::string_view list_;
  const Path& path_;
  std::string_view spelled_[none];
};

}  // namespace

bool OptionReader::enter_object(const Path& path, std::string_view name, Members& members) {
  if (walker_.peek() == Kind::object) return walker_.enter_object(members);
  Value value;
  return walker_.pass(value) &&
         refuse_type(error_, value.begin, {path.body, path.object, path.inner, name}, "an object",
                     value.kind);
}

bool OptionReader::read_options(const Path& path, std::string_view name) {
  Members members;
  if (!enter_object(path, name, members)) return false;
  const Path inside{path.body, "hyperion.", {}};
  Recogniser recogniser(option_names, option_list, inside);
  while (walker_.next_member(members)) {
    const size_t option = recogniser.recognise(members, error_);
    if (option == none || !read_option(option, inside, members)) return false;
  }
  return !walker_.failed();
}

bool OptionReader::read_option(size_t option, const Path& path, const Members& members) {
  const std::string_view name = members.key;
  const Mark mark = walker_.mark();
  Field* field = nullptr;
  bool read = false;
  switch (option) {
    case fallbacks:
      options_.fallbacks_given = true;
      field = &options_.fallbacks;
      read = read_strings(path, name);
      break;
    case providers:
      field = &options_.providers;
      read = read_strings(path, name);
      break;
    case tags:
      field = &options_.tags;
      read = read_tags(path, name);
      break;
    case max_cost: return read_cost(path, name);
    case timeouts: return read_timeouts(path, name);
    case explain: return read_flag(path, name, options_.explain);
    case bypass_cache: return read_flag(path, name, options_.bypass_cache);
    default: return read_integer(path, name, cache_ttl_max_s, options_.cache_ttl_s);
  }
  if (read) walker_.describe(mark, members, *field);
  return read;
}

bool OptionReader::read_timeouts(const Path& path, std::string_view name) {
  Members members;
  if (!enter_object(path, name, members)) return false;
  const Path inside{path.body, path.object, "timeouts."};
  Recogniser recogniser(timeout_names, timeout_list, inside);
  uint32_t* const times[] = {&options_.connect_ms, &options_.first_token_ms, &options_.idle_ms,
                             &options_.total_ms};
  while (walker_.next_member(members)) {
    const size_t option = recogniser.recognise(members, error_);
    if (option == none) return false;
    if (!read_integer(inside, members.key, timeout_max_ms, *times[option])) return false;
  }
  return !walker_.failed();
}

bool OptionReader::read_flag(const Path& path, std::string_view name, bool& flag) {
  Value value;
  if (!walker_.pass(value)) return false;
  if (value.kind != Kind::boolean) {
    return refuse_type(error_, value.begin, {path.body, path.object, path.inner, name},
                       "true or false", value.kind);
  }
  flag = body_[value.begin] == 't';
  return true;
}

bool OptionReader::read_strings(const Path& path, std::string_view name) {
  const Parts where = {path.body, path.object, path.inner, name};
  constexpr std::string_view expected = "an array of strings";
  Value value;
  if (!walker_.pass(value)) return false;
  if (value.kind != Kind::array) {
    return refuse_type(error_, value.begin, where, expected, value.kind);
  }
  Cursor elements(body_.substr(value.begin, value.end - value.begin));
  elements.enter_array();
  while (elements.next_element()) {
    if (elements.peek() != '"') {
      return refuse(error_, ErrorCode::wrong_type, value.begin, where,
                    {expected, ", got another value in it"});
    }
    elements.skip();
  }
  return true;
}

bool OptionReader::read_number(const Path& path, std::string_view name, std::string_view expected,
                               double& number) {
  Value value;
  if (!walker_.pass(value)) return false;
  const Parts where = {path.body, path.object, path.inner, name};
  if (value.kind != Kind::number) {
    return refuse_type(error_, value.begin, where, expected, value.kind);
  }
  const char* const begin = body_.data() + value.begin;
  const auto [end, failure] = std::from_chars(begin, body_.data() + value.end, number);
  if (failure == std::errc{} && std::isfinite(number)) return true;
  return refuse(error_, ErrorCode::wrong_type, value.begin, where,
                {expected, ", got a number out of range"});
}

bool OptionReader::read_integer(const Path& path, std::string_view name, uint32_t max,
                                uint32_t& number) {
  char expected[48] = "an integer from 1 to ";
  const size_t prefix = std::string_view(expected).size();
  std::to_chars(expected + prefix, expected + sizeof(expected) - 1, max);
  const uint32_t position = walker_.position();
  double value = 0;
  if (!read_number(path, name, expected, value)) return false;
  if (value < 1 || value > max || value != std::floor(value)) {
    return refuse(error_, ErrorCode::wrong_type, position,
                  {path.body, path.object, path.inner, name}, {expected, ", got another number"});
  }
  number = static_cast<uint32_t>(value);
  return true;
}

bool OptionReader::read_cost(const Path& path, std::string_view name) {
  constexpr std::string_view expected = "a number of USD, 0 or more";
  const uint32_t position = walker_.position();
  double cost = 0;
  if (!read_number(path, name, expected, cost)) return false;
  if (cost < 0) {
    return refuse(error_, ErrorCode::wrong_type, position,
                  {path.body, path.object, path.inner, name}, {expected, ", got less"});
  }
  options_.max_cost_usd = cost;
  return true;
}

bool OptionReader::read_tags(const Path& path, std::string_view name) {
  const Parts where = {path.body, path.object, name};
  Members pairs;
  if (!enter_object(path, name, pairs)) return false;
  char keys[tags_max_count][tag_key_size_max_bytes];
  size_t sizes[tags_max_count];
  while (walker_.next_member(pairs)) {
    const uint32_t place = pairs.count - 1;
    if (place == tags_max_count) {
      return refuse(error_, ErrorCode::too_many, pairs.key_begin, where, {"at most 16 tags"});
    }
    sizes[place] = unescape(pairs.key, keys[place], tag_key_size_max_bytes);
    if (sizes[place] > tag_key_size_max_bytes) {
      return refuse(error_, ErrorCode::too_large, pairs.key_begin, where,
                    {"keys of at most 64 bytes"});
    }
    const std::string_view key(keys[place], sizes[place]);
    for (uint32_t i = 0; i < place; ++i) {
      if (key == std::string_view(keys[i], sizes[i])) {
        return refuse(error_, ErrorCode::duplicate_key, pairs.key_begin, where,
                      {"each tag once, got one twice"});
      }
    }
    Value value;
    if (!walker_.pass(value)) return false;
    if (value.kind != Kind::string) {
      return refuse_type(error_, value.begin, where, "an object of strings", value.kind);
    }
  }
  return !walker_.failed();
}

}  // namespace hyperion::json
