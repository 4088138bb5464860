// Any bytes as a provider's responses: the account must not depend on the cut.
#include "base/assert.h"
#include "support/http_run.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hyperion;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Random random(size * 2654435761u + (size > 0 ? data[size / 2] : 0));
  http::Limits limits;
  if (random.chance(1, 4)) {
    limits.response_head_size_max_bytes = static_cast<uint32_t>(32 + random.below(256));
    limits.response_header_count_max = static_cast<uint32_t>(1 + random.below(8));
  }
  const bool to_head = random.chance(1, 8);
  const test::SeenConnection whole = test::run_responses(bytes, {}, true, to_head, limits);
  const test::Cuts cuts = test::random_cuts(random, size);
  HYPERION_ASSERT(whole == test::run_responses(bytes, cuts, true, to_head, limits));
  if (size <= 1024) {
    HYPERION_ASSERT(whole ==
                    test::run_responses(bytes, test::every_byte(size), true, to_head, limits));
  }
  for (const test::SeenMessage& message : whole.messages) {
    if (!message.complete || message.framing != http::Framing::content_length) continue;
    HYPERION_ASSERT(message.body.size() == message.content_length);
  }
  return 0;
}
