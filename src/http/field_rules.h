// Pure rules about single pieces of a head: characters, hosts, lengths, targets, names in disguise.
//
// What llhttp leaves open and reliability rules 2.1 close: llhttp says that a head can be read, the
// functions here say whether every server on the way would read it alike. Used by the parsers and
// the head writer of this folder only. No state, no allocation, nothing can fail but the check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hyperion::http {

// RFC 9110 5.6.2: the characters of header names, methods and chunk extension names.
bool is_token_char(char c);
// RFC 9110 5.5: space, tab, visible ASCII and obs-text. No control bytes.
bool is_field_value_char(char c);

// RFC 3986 host, with an optional port (RFC 9110 7.2), less the comma: no userinfo, no path.
bool is_host(std::string_view text);

// Decimal digits only, at most 19 of them, no leading zero but "0" itself.
bool parse_content_length(std::string_view text, uint64_t& value);

// The names that decide framing, routing or identity.
enum class GuardedName : uint8_t {
  none,
  authorization,
  content_length,
  host,
  transfer_encoding,
  disguised,  // one of these after dropping all but letters and digits: Content_Length, Ho.st
};
GuardedName guarded_name(std::string_view name);

// A checked request target, as offsets into it, so that the text may move meanwhile.
struct TargetParts {
  const char* fault = nullptr;  // a sentence when the target is not acceptable
  uint32_t authority_begin = 0;
  uint32_t authority_size = 0;  // 0 unless the target is in absolute form
  uint32_t path_begin = 0;
  uint32_t path_size = 0;  // without the query
};
// `asterisk_allowed`: the method is OPTIONS.
TargetParts check_target(std::string_view target, bool asterisk_allowed);

}  // namespace hyperion::http
