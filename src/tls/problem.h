// Why a TLS stream failed, in words an operator can act on.
//
// An Error has no room for a text. Those made in src/tls carry a Problem where others carry an
// errno, as a negative number, so that the two cannot be mistaken for one another. Whoever logs
// such an Error asks `describe` for the text. It names what to look at; it never holds bytes of the
// peer's.
#pragma once

#include <cstdint>

#include "base/error.h"

namespace hyperion::tls {

enum class Problem : int16_t {
  none = 0,
  // The peer's certificate (ErrorCode::tls_certificate).
  certificate_untrusted = -1,
  certificate_expired = -2,
  certificate_not_yet_valid = -3,
  certificate_wrong_name = -4,
  certificate_wrong_purpose = -5,
  certificate_weak_signature = -6,
  certificate_weak_key = -7,
  certificate_malformed = -8,
  certificate_chain_invalid = -9,
  certificate_missing = -10,
  // The handshake (ErrorCode::tls_handshake).
  not_tls = -20,
  version_refused = -21,
  no_common_cipher = -22,
  no_common_protocol = -23,
  alert_from_peer = -24,
  peer_left = -25,
  out_of_memory = -26,
  protocol_violation = -27,
  // An open stream (ErrorCode::tls_truncated for the first, ErrorCode::connection_reset).
  no_close_notify = -40,
  record_refused = -41,
  too_many_protocol_messages = -42,
};

constexpr Error make_tls_error(ErrorCode code, Problem problem) {
  return make_error(code, Side::none, static_cast<int16_t>(problem));
}

// The problem inside an error of this folder; none for any other error.
Problem problem_of(Error error);

// One sentence, static storage: what is wrong and what to do about it.
const char* describe(Problem problem);

}  // namespace hyperion::tls
