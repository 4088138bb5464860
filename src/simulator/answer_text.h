// The words of simulated answers, and how their tokens are counted.
//
// Everything follows from a hash of the request, so that the same request gets the same answer,
// byte for byte, at any time and over any path. The rule of the counts, stated in
// docs/simulator.md: a token of an answer is one word with the blank before it; a text of a request
// has one token for every four bytes begun. No state, no allocation but in the string appended to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hyperion::simulator {

uint64_t mix(uint64_t a, uint64_t b);

// Not for secrets and not for adversaries: fast, and different for different texts.
uint64_t hash_text(std::string_view text, uint64_t seed);

// `digits` (64 at most) lower-case hexadecimal digits drawn from `seed`.
void write_hex(char* out, uint64_t seed, unsigned digits);
void append_hex(std::string& out, uint64_t seed, unsigned digits);

// Of a request's id, after "req_".
inline constexpr unsigned request_id_digits = 32;

void append_number(std::string& out, int64_t number);

// Appends token `index` of the answer that `seed` names. All are safe within a JSON string, as long
// as `model` is (catalog::is_model_name).
void append_token(std::string& out, std::string_view model, uint64_t seed, uint32_t index);

// Of a request's text.
constexpr uint64_t tokens_of(uint64_t text_bytes) { return (text_bytes + 3) / 4; }

}  // namespace hyperion::simulator
