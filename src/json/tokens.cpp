#include "json/tokens.h"

#include <algorithm>

#include "json/limits.h"
#include "json/utf8.h"

#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

namespace hyperion::json {
namespace {

static_assert(padding_bytes >= simdjson::SIMDJSON_PADDING);

constexpr size_t capacity_kept_bytes = 64 * 1024;

// Of simdjson's second stage, which is not used: it only makes it allocate.
constexpr size_t unused_depth = 1;

// simdjson tells what is wrong but not where. Errors may take their time.
Fault locate(std::string_view text, simdjson::error_code error) {
  const char* const end = text.data() + text.size();
  const bool about_utf8 = error == simdjson::UTF8_ERROR;
  bool in_string = false;
  size_t string_begin = 0;
  for (const char* at = text.data(); at < end;) {
    const auto position = static_cast<uint32_t>(at - text.data());
    const size_t length = utf8_sequence_length(at, end);
    if (length == 0 && about_utf8) return {ErrorCode::malformed_json, position, "valid UTF-8"};
    if (in_string && !about_utf8 && static_cast<unsigned char>(*at) < 0x20) {
      return {ErrorCode::malformed_json, position, "control bytes in strings to be escaped"};
    }
    if (*at == '"') {
      in_string = !in_string;
      string_begin = position;
    }
    const bool escaped = in_string && !about_utf8 && *at == '\\' && end - at > 1;
    at += escaped ? 2 : std::max<size_t>(length, 1);
  }
  if (in_string) {
    return {ErrorCode::malformed_json, static_cast<uint32_t>(string_begin),
            "a closing quote of the string that begins here"};
  }
  return {ErrorCode::malformed_json, 0, "valid JSON"};
}

}  // namespace

struct TokenIndex::Implementation {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

TokenIndex::TokenIndex() : implementation_(std::make_unique<Implementation>()) {}
TokenIndex::~TokenIndex() = default;

bool TokenIndex::reserve(size_t size) {
  auto& parser = implementation_->parser;
  // A little more than asked for, so that bodies that grow slowly do not allocate each time.
  const size_t capacity = std::min<size_t>(std::max(size + size / 8, capacity_kept_bytes),
                                           simdjson::SIMDJSON_MAXSIZE_BYTES);
  if (!parser) {
    return simdjson::get_active_implementation()->create_dom_parser_implementation(
               capacity, unused_depth, parser) == simdjson::SUCCESS;
  }
  return parser->capacity() >= size || parser->set_capacity(capacity) == simdjson::SUCCESS;
}

bool TokenIndex::index(std::string_view text, Fault& fault) {
  tokens_ = nullptr;
  count_ = 0;
  if (!reserve(text.size())) {
    fault = {ErrorCode::too_large, 0, "a body for which there is memory"};
    return false;
  }
  auto& parser = *implementation_->parser;
  const auto error = parser.stage1(reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                                   simdjson::stage1_mode::regular);
  if (error == simdjson::EMPTY) {
    fault = {ErrorCode::malformed_json, 0, "a JSON object, got nothing"};
    return false;
  }
  if (error != simdjson::SUCCESS) {
    fault = locate(text, error);
    return false;
  }
  tokens_ = parser.structural_indexes.get();
  count_ = parser.n_structural_indexes;
  return true;
}

void TokenIndex::shrink() {
  auto& parser = implementation_->parser;
  tokens_ = nullptr;
  count_ = 0;
  if (parser && parser->capacity() > capacity_kept_bytes) parser.reset();
}

}  // namespace hyperion::json
