#include "http/body_decoder.h"

#include <string>

#include <llhttp.h>

#include "vectors.h"

namespace hyperion::test {
namespace {

using http::BodyDecoder;
using http::BodyFault;
using http::BodyLimits;
using http::Framing;

constexpr BodyLimits roomy = {1 << 30, 4096, 1 << 20, 4096, true};

struct Decoded {
  std::string data;
  BodyFault fault = BodyFault::none;
  bool complete = false;
  size_t consumed = 0;

  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view bytes, const Cuts& cuts = {}, const BodyLimits& limits = roomy,
               Framing framing = Framing::chunked, uint64_t length = 0) {
  BodyDecoder decoder;
  decoder.start(framing, length, limits);
  Decoded decoded;
  for_each_piece(bytes, cuts, [&](std::string_view rest) {
    while (!rest.empty() && !decoder.complete() && decoder.fault() == BodyFault::none) {
      std::string_view data;
      const size_t consumed = decoder.next(rest, data);
      decoded.data += data;
      decoded.consumed += consumed;
      rest.remove_prefix(consumed);
    }
    return rest.empty();
  });
  decoded.fault = decoder.fault();
  decoded.complete = decoder.complete();
  CHECK(decoder.decoded_bytes() == decoded.data.size());
  return decoded;
}

BodyFault fault_of(std::string_view bytes, const BodyLimits& limits = roomy) {
  const Decoded whole = decode(bytes, {}, limits);
  for_each_cut(bytes.size(),
               [&](const Cuts& cuts) { CHECK(decode(bytes, cuts, limits) == whole); });
  return whole.fault;
}

TEST_CASE("chunks are joined, extensions and trailers dropped, bytes behind the end left alone") {
  const std::string body =
      "5\r\nhello\r\n0006;a;b=c;d=\"e; \\\" f\"\r\n world\r\n0;x\r\nT: v\r\nU:\r\n\r\n";
  const Decoded decoded = decode(body + "rest");
  CHECK(decoded.data == "hello world");
  CHECK(decoded.complete);
  CHECK(decoded.consumed == body.size());
}

TEST_CASE("chunk framing is read in one way only") {
  CHECK(fault_of("\r\n") == BodyFault::chunk_size);
  for (const char* size : {" 5\r\n", "5 \r\n", "5\t\r\n", "0x5\r\n", "+5\r\n", "-5\r\n", "5\n",
                           "5\r", "5\r\r\n", "g\r\n", "5,\r\n", "5these\r\n", "\x35\x80\r\n"}) {
    INFO(shown(size));
    CHECK(fault_of(std::string(size) + "hello\r\n0\r\n\r\n") == BodyFault::chunk_size);
  }
  CHECK(fault_of("00000005\r\nhello\r\n0\r\n\r\n") == BodyFault::none);
  CHECK(fault_of("000000005\r\nhello\r\n0\r\n\r\n") == BodyFault::chunk_size_digits);
  CHECK(fault_of("FFFFFFFFFFFFFFFF\r\n") == BodyFault::chunk_size_digits);
  for (const char* end : {"\n", "\r", "X\r\n", "\r\r\n", "0\r\n"}) {
    INFO(shown(end));
    CHECK(fault_of("5\r\nhello" + std::string(end) + "0\r\n\r\n") == BodyFault::chunk_end);
  }
}

TEST_CASE("an extension is a name with an optional value, without blanks or control bytes") {
  for (const char* extension : {";", ";;", "; a", ";a ", ";a= b", ";a=", ";a=\"b", ";a=\"b\"c",
                                ";a=\"\x01\"", ";a=\"\\\x7f\"", ";a\n", ";a[=b", ";a==b", ";\"a\"",
                                ";a=b\"c\"", ";a\x0b", ";a\x80", ";a=b\tc"}) {
    INFO(shown(extension));
    CHECK(fault_of("5" + std::string(extension) + "\r\nhello\r\n0\r\n\r\n") ==
          BodyFault::chunk_extension);
  }
  CHECK(fault_of(std::string_view("5;\0\r\n", 5)) == BodyFault::chunk_extension);
  CHECK(fault_of("5;a\rX\r\n") == BodyFault::chunk_size);
  for (const char* extension : {";a", ";a=b", ";a=\"\"", ";a=\"b\t\\\\\xc3\xa9\"", ";a=b;c;d=e"}) {
    INFO(shown(extension));
    CHECK(fault_of("5" + std::string(extension) + "\r\nhello\r\n0\r\n\r\n") == BodyFault::none);
  }
}

TEST_CASE("a trailer line is a header line") {
  for (const char* trailer :
       {"A\r\n", "A b: c\r\n", ": c\r\n", " A: c\r\n", "A: c\n", "A: c\r\n d\r\n", "A: \x01\r\n",
        "\n", "A: c\r\r\n", "A\x80: c\r\n"}) {
    INFO(shown(trailer));
    CHECK(fault_of("0\r\n" + std::string(trailer) + "\r\n") == BodyFault::trailer);
  }
  CHECK(fault_of("0\r\nA: b\r\nContent-Type: x\r\nX-Host: y\r\n\r\n") == BodyFault::none);
}

TEST_CASE("a trailer never decides framing, routing or identity") {
  for (const char* name : {"Content-Length", "TRANSFER-ENCODING", "host", "Authorization",
                           "Content_Length", "H-o-s-t", "transfer---------encoding"}) {
    INFO(std::string(name));
    CHECK(fault_of("0\r\nA: b\r\n" + std::string(name) + ": 9\r\n\r\n") == BodyFault::trailer);
  }
  for (const char* name :
       {"Hosts", "Content-Lengths", "A-Very-Long-Name-Of-A-Trailer-Ending-In-Host"}) {
    INFO(std::string(name));
    CHECK(fault_of("0\r\n" + std::string(name) + ": 9\r\n\r\n") == BodyFault::none);
  }
}

TEST_CASE("extensions, chunks, trailers and the body are bounded") {
  BodyLimits limits = roomy;
  limits.chunk_extension_max_bytes = 8;
  const std::string extended = "1;ab=\"c\"\r\nx\r\n";  // seven bytes
  CHECK(fault_of(extended + "0\r\n\r\n", limits) == BodyFault::none);
  CHECK(fault_of(extended + extended + "0\r\n\r\n", limits) == BodyFault::chunk_extension_size);
  CHECK(fault_of("1;abcdefg\r\n", limits) == BodyFault::none);
  CHECK(fault_of("1;abcdefgh", limits) == BodyFault::chunk_extension_size);
  limits.extension_and_count_per_message = false;
  CHECK(fault_of(extended + extended + "0\r\n\r\n", limits) == BodyFault::none);

  limits = roomy;
  limits.chunk_count_max = 2;
  CHECK(fault_of("1\r\na\r\n1\r\nb\r\n0\r\n\r\n", limits) == BodyFault::none);
  CHECK(fault_of("1\r\na\r\n1\r\nb\r\n1\r\n", limits) == BodyFault::chunk_count);

  limits = roomy;
  limits.trailer_size_max_bytes = 10;
  CHECK(fault_of("0\r\nA: bcd\r\n\r\n", limits) == BodyFault::none);
  CHECK(fault_of("0\r\nA: bcde\r\n\r\n", limits) == BodyFault::trailer_size);

  limits = roomy;
  limits.body_size_max_bytes = 6;
  CHECK(fault_of("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", limits) == BodyFault::none);
  CHECK(fault_of("5\r\nhello\r\n2\r\n", limits) == BodyFault::body_size);
}

TEST_CASE("fixed bodies end by count, open ones do not end") {
  const Decoded fixed = decode("hello!", {}, roomy, Framing::content_length, 5);
  CHECK(fixed.data == "hello");
  CHECK(fixed.complete);
  CHECK(fixed.consumed == 5);
  CHECK(decode("hell", every_byte(4), roomy, Framing::content_length, 5).complete == false);
  const Decoded open = decode("hello", every_byte(5), roomy, Framing::until_close);
  CHECK(open.data == "hello");
  CHECK_FALSE(open.complete);
  BodyDecoder none;
  none.start(Framing::none, 0, roomy);
  CHECK(none.complete());
  none.start(Framing::content_length, 0, roomy);
  CHECK(none.complete());
}

// What llhttp makes of the same chunked body.
struct Llhttp {
  std::string data;
  bool complete = false;
  bool failed = false;
};

Llhttp read_with_llhttp(std::string_view body) {
  Llhttp read;
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_body = [](llhttp_t* parser, const char* at, size_t size) {
    static_cast<Llhttp*>(parser->data)->data.append(at, size);
    return 0;
  };
  settings.on_message_complete = [](llhttp_t* parser) -> int {
    static_cast<Llhttp*>(parser->data)->complete = true;
    return HPE_PAUSED;
  };
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = &read;
  const std::string_view head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  llhttp_execute(&parser, head.data(), head.size());
  const llhttp_errno_t error = llhttp_execute(&parser, body.data(), body.size());
  read.failed = error != HPE_OK && error != HPE_PAUSED;
  return read;
}

TEST_CASE("chunked bodies with seeded faults: llhttp never refuses or ends what we read on") {
  constexpr std::string_view alphabet = "0159aF \t\r\n;=\"\\:,x\x01\x80";
  size_t complete_count = 0;
  size_t fault_count = 0;
  for (uint64_t seed = 1; seed <= 20'000; ++seed) {
    Random random(seed);
    std::string body = "5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n";
    const uint64_t edits = random.below(4);
    for (uint64_t i = 0; i < edits; ++i) {
      const size_t at = random.below(body.size());
      const char c = alphabet[random.below(alphabet.size())];
      switch (random.below(3)) {
        case 0: body[at] = c; break;
        case 1: body.insert(at, 1, c); break;
        default: body.erase(at, 1);
      }
    }
    INFO("seed " << seed << ": " << shown(body));
    const Decoded ours = decode(body, random_cuts(random, body.size()));
    REQUIRE(ours == decode(body));
    const Llhttp theirs = read_with_llhttp(body);
    if (ours.fault == BodyFault::none) {
      REQUIRE_FALSE(theirs.failed);
      REQUIRE(ours.complete == theirs.complete);
      REQUIRE(ours.data == theirs.data);
    }
    complete_count += ours.complete ? 1 : 0;
    fault_count += ours.fault != BodyFault::none ? 1 : 0;
  }
  CHECK(complete_count > 2000);
  CHECK(fault_count > 5000);
}

}  // namespace
}  // namespace hyperion::test
