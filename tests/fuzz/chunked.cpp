// Any bytes as a chunked body: the same data and fault for any cut, and llhttp, as the second
// opinion, never refuses what we take and never ends where we do not.
#include <llhttp.h>

#include "base/assert.h"
#include "http/body_decoder.h"
#include "support/http_run.h"

namespace {

using namespace hyperion;

struct Decoded {
  std::string data;
  bool complete = false;
  http::BodyFault fault = http::BodyFault::none;

  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view bytes, const test::Cuts& cuts) {
  http::BodyLimits limits;
  limits.body_size_max_bytes = 1 << 20;
  limits.chunk_extension_max_bytes = 256;
  limits.chunk_count_max = 1000;
  limits.trailer_size_max_bytes = 256;
  http::BodyDecoder decoder;
  decoder.start(http::Framing::chunked, 0, limits);
  Decoded decoded;
  test::for_each_piece(bytes, cuts, [&](std::string_view rest) {
    while (!rest.empty() && !decoder.complete() && decoder.fault() == http::BodyFault::none) {
      std::string_view data;
      const size_t consumed = decoder.next(rest, data);
      HYPERION_ASSERT(consumed > 0 && consumed <= rest.size() && data.size() <= consumed);
      decoded.data += data;
      rest.remove_prefix(consumed);
    }
    return rest.empty();
  });
  decoded.complete = decoder.complete();
  decoded.fault = decoder.fault();
  return decoded;
}

void check_against_llhttp(std::string_view bytes, const Decoded& ours) {
  Decoded theirs;
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_body = [](llhttp_t* parser, const char* at, size_t size) {
    static_cast<Decoded*>(parser->data)->data.append(at, size);
    return 0;
  };
  settings.on_message_complete = [](llhttp_t* parser) -> int {
    static_cast<Decoded*>(parser->data)->complete = true;
    return HPE_PAUSED;
  };
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = &theirs;
  const std::string_view head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  HYPERION_ASSERT(llhttp_execute(&parser, head.data(), head.size()) == HPE_OK);
  const llhttp_errno_t error = llhttp_execute(&parser, bytes.data(), bytes.size());
  if (ours.fault != http::BodyFault::none) return;
  HYPERION_ASSERT(error == HPE_OK || error == HPE_PAUSED);
  HYPERION_ASSERT(theirs.complete == ours.complete);
  HYPERION_ASSERT(theirs.data == ours.data);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Random random(size * 2654435761u + (size > 0 ? data[size / 2] : 0));
  const Decoded whole = decode(bytes, {});
  HYPERION_ASSERT(whole == decode(bytes, test::random_cuts(random, size)));
  if (size <= 1024) HYPERION_ASSERT(whole == decode(bytes, test::every_byte(size)));
  check_against_llhttp(bytes, whole);
  return 0;
}
