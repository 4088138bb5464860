#include "json/scan_errors.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "json/utf8.h"

namespace hyperion::json {
namespace {

template <size_t capacity>
void join(char (&out)[capacity], Parts parts) {
  size_t length = 0;
  for (std::string_view part : parts) {
    for (const char *at = part.data(), *end = at + part.size(); at < end;) {
      const size_t size = std::max<size_t>(utf8_sequence_length(at, end), 1);
      if (length + size >= capacity) break;
      std::memcpy(out + length, at, size);
      const auto first = static_cast<unsigned char>(*at);
      if (first < 0x20 || first == 0x7F || (size == 1 && first >= 0x80)) out[length] = '?';
      length += size;
      at += size;
    }
  }
  out[length] = '\0';
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::null: return "null";
    case Kind::boolean: return "a boolean";
    case Kind::number: return "a number";
    case Kind::string: return "a string";
    case Kind::array: return "an array";
    case Kind::object: return "an object";
    case Kind::absent: break;
  }
  return "nothing";
}

}  // namespace

bool refuse(ScanError& error, ErrorCode code, uint32_t position, Parts field, Parts expected) {
  error.code = code;
  error.position = position;
  join(error.field, field);
  join(error.expected, expected);
  return false;
}

bool refuse_type(ScanError& error, uint32_t position, Parts field, std::string_view expected,
                 Kind given) {
  return refuse(error, ErrorCode::wrong_type, position, field,
                {expected, ", got ", name_of(given)});
}

bool refuse_fault(ScanError& error, const Fault& fault, const Limits& limits) {
  std::string limit;
  if (fault.code == ErrorCode::too_deep) {
    limit = "at most " + std::to_string(limits.depth_max) + " levels of nesting";
  } else if (fault.code == ErrorCode::too_many) {
    limit = "at most " + std::to_string(limits.keys_per_object_max) + " keys in one object";
  }
  return refuse(error, fault.code, fault.position, {"body"},
                {limit.empty() ? std::string_view(fault.expected) : limit});
}

}  // namespace hyperion::json
