// Any bytes as a connection's requests: the account must not depend on the cut, and what is
// accepted must keep the rules that everything above relies on.
#include "base/assert.h"
#include "http/field_rules.h"
#include "http/head_writer.h"
#include "support/http_run.h"

namespace {

using namespace hyperion;

uint64_t hash(std::string_view bytes) {
  uint64_t value = 14695981039346656037u;  // FNV-1a
  for (char c : bytes) value = (value ^ static_cast<uint8_t>(c)) * 1099511628211u;
  return value;
}

void check_rules(const test::SeenMessage& message) {
  size_t host_count = 0;
  size_t framing_count = 0;
  for (const auto& [name, value] : message.headers) {
    HYPERION_ASSERT(!name.empty() && http::is_field_value(name) && http::is_field_value(value));
    HYPERION_ASSERT(value.find_first_of("\r\n") == std::string::npos);
    const http::GuardedName guarded = http::guarded_name(name);
    HYPERION_ASSERT(guarded != http::GuardedName::disguised);
    host_count += guarded == http::GuardedName::host ? 1 : 0;
    framing_count += guarded == http::GuardedName::content_length ? 1 : 0;
    framing_count += guarded == http::GuardedName::transfer_encoding ? 1 : 0;
  }
  HYPERION_ASSERT(host_count == 1 && http::is_host(message.host));
  HYPERION_ASSERT(framing_count == (message.framing == http::Framing::none ? 0 : 1));
  HYPERION_ASSERT(message.target == "*" || message.target[0] == '/');
  HYPERION_ASSERT(message.path.size() + message.query.size() <= message.target.size());
  if (message.complete && message.framing == http::Framing::content_length) {
    HYPERION_ASSERT(message.body.size() == message.content_length);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Random random(hash(bytes));
  http::Limits limits;
  if (random.chance(1, 4)) {
    limits.head_size_max_bytes = static_cast<uint32_t>(32 + random.below(256));
    limits.target_size_max_bytes = static_cast<uint32_t>(1 + random.below(64));
    limits.header_count_max = static_cast<uint32_t>(1 + random.below(8));
    limits.body_size_max_bytes = random.below(64);
    limits.chunk_extension_max_bytes = static_cast<uint32_t>(random.below(32));
    limits.trailer_size_max_bytes = static_cast<uint32_t>(2 + random.below(32));
  }
  const test::SeenConnection whole = test::run_requests(bytes, {}, limits);
  HYPERION_ASSERT(whole == test::run_requests(bytes, test::random_cuts(random, size), limits));
  if (size <= 1024) {
    HYPERION_ASSERT(whole == test::run_requests(bytes, test::every_byte(size), limits));
  }
  for (const test::SeenMessage& message : whole.messages) {
    // Of a message that failed in its body only the body was copied.
    if (!message.start.empty()) check_rules(message);
  }
  return 0;
}
