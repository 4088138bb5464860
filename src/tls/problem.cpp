#include "tls/problem.h"

namespace hyperion::tls {

Problem problem_of(Error error) {
  if (error.system_errno >= 0) return Problem::none;
  return static_cast<Problem>(error.system_errno);
}

const char* describe(Problem problem) {
  switch (problem) {
    case Problem::none: return "no TLS problem";
    case Problem::certificate_untrusted:
      return "no configured certificate authority signed the peer's certificate, or the peer did "
             "not "
             "send its intermediate certificates; set ca_file if the authority is a private one";
    case Problem::certificate_expired:
      return "the peer's certificate or one of its issuers has expired; if the peer is fine, check "
             "this machine's clock";
    case Problem::certificate_not_yet_valid:
      return "the peer's certificate is not valid yet; if the peer is fine, check this machine's "
             "clock";
    case Problem::certificate_wrong_name:
      return "the peer's certificate is for other names; check the host in the configuration "
             "(only subject alternative names count)";
    case Problem::certificate_wrong_purpose:
      return "the peer's certificate may not be used for a TLS server";
    case Problem::certificate_weak_signature:
      return "the peer's certificate chain has a signature by SHA-1 or another algorithm that is "
             "not "
             "accepted; the peer needs a new certificate";
    case Problem::certificate_weak_key:
      return "the peer's certificate chain has a key below 2048 bits (RSA) or 256 bits (EC); the "
             "peer needs a new certificate";
    case Problem::certificate_malformed: return "the peer's certificate cannot be parsed";
    case Problem::certificate_chain_invalid:
      return "the peer's certificate chain breaks its own rules (name constraints, path length, an "
             "issuer that is no authority, an unknown critical extension)";
    case Problem::certificate_missing: return "the peer sent no certificate";
    case Problem::not_tls:
      return "the peer does not speak TLS on this port; check the scheme and the port";
    case Problem::version_refused: return "the peer offers no TLS 1.2 or 1.3";
    case Problem::no_common_cipher:
      return "no cipher suite, group or signature algorithm in common with the peer";
    case Problem::no_common_protocol: return "the peer insists on a protocol other than HTTP/1.1";
    case Problem::alert_from_peer: return "the peer refused the handshake with an alert";
    case Problem::peer_left: return "the peer closed the connection during the handshake";
    case Problem::out_of_memory: return "out of memory for TLS; see the limits of this shard";
    case Problem::protocol_violation: return "the peer broke the TLS protocol in the handshake";
    case Problem::no_close_notify:
      return "the peer closed the connection without saying so in TLS; data may be missing";
    case Problem::record_refused: return "a TLS record from the peer was damaged or out of place";
    case Problem::too_many_protocol_messages:
      return "the peer made us answer TLS protocol messages without reading the answers";
  }
  return "unknown TLS problem";
}

}  // namespace hyperion::tls
