// Reads the `hyperion` object of a request body: the gateway's own options (contract, section 2).
//
// Strict, because what is misspelled here would silently not happen: an unknown key, a repeated or
// escaped one, a wrong type or a number out of range is refused by name. Snake and camel case are
// the same option. Lists and tags stay spans of the body; json/string_list.h reads them.
#pragma once

#include <string_view>

#include "json/body_scan.h"
#include "json/walker.h"

namespace hyperion::json {

// As for the metadata of OpenAI's requests: 16 pairs, keys of at most 64 bytes.
inline constexpr uint32_t tags_max_count = 16;
inline constexpr uint32_t tag_key_size_max_bytes = 64;

// A day: no request lives longer.
inline constexpr uint32_t timeout_max_ms = 24 * 60 * 60 * 1000;
// A year.
inline constexpr uint32_t cache_ttl_max_s = 365 * 24 * 60 * 60;

// Where an option stands, for errors: each part is empty or ends in a dot.
struct Path {
  std::string_view body;    // "extra_body." for what stands in a literal extra_body
  std::string_view object;  // "hyperion."
  std::string_view inner;   // "timeouts."
};

class OptionReader {
 public:
  // Reads from `walker` over `body`; refusals go to `error`, faults of the text stay in the walker.
  OptionReader(std::string_view body, Walker& walker, Options& options, ScanError& error)
      : body_(body), walker_(walker), options_(options), error_(error) {}

  // Each reads the value that comes next; false after a refusal or a fault. `name` is the key as
  // the client spelled it.
  bool read_options(const Path& path, std::string_view name);
  bool read_flag(const Path& path, std::string_view name, bool& flag);
  bool read_strings(const Path& path, std::string_view name);
  // Steps into an object; refuses anything else.
  bool enter_object(const Path& path, std::string_view name, Members& members);

 private:
  bool read_option(size_t option, const Path& path, const Members& members);
  bool read_timeouts(const Path& path, std::string_view name);
  bool read_tags(const Path& path, std::string_view name);
  bool read_integer(const Path& path, std::string_view name, uint32_t max, uint32_t& number);
  bool read_cost(const Path& path, std::string_view name);
  bool read_number(const Path& path, std::string_view name, std::string_view expected,
                   double& number);

  std::string_view body_;
  Walker& walker_;
  Options& options_;
  ScanError& error_;
};

}  // namespace hyperion::json
