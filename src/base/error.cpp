#include "base/error.h"

namespace hyperion {

const char* name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::none: return "none";
    case ErrorCode::end_of_stream: return "end_of_stream";
    case ErrorCode::connection_reset: return "connection_reset";
    case ErrorCode::connect_failed: return "connect_failed";
    case ErrorCode::name_not_resolved: return "name_not_resolved";
    case ErrorCode::timed_out: return "timed_out";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::tls_handshake: return "tls_handshake";
    case ErrorCode::tls_certificate: return "tls_certificate";
    case ErrorCode::tls_truncated: return "tls_truncated";
    case ErrorCode::malformed_http: return "malformed_http";
    case ErrorCode::malformed_json: return "malformed_json";
    case ErrorCode::malformed_sse: return "malformed_sse";
    case ErrorCode::duplicate_key: return "duplicate_key";
    case ErrorCode::wrong_type: return "wrong_type";
    case ErrorCode::unknown_key: return "unknown_key";
    case ErrorCode::too_deep: return "too_deep";
    case ErrorCode::too_large: return "too_large";
    case ErrorCode::too_many: return "too_many";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::unauthorised: return "unauthorised";
    case ErrorCode::overloaded: return "overloaded";
    case ErrorCode::surplus_bytes: return "surplus_bytes";
    case ErrorCode::incomplete: return "incomplete";
    case ErrorCode::io_failed: return "io_failed";
    case ErrorCode::invalid: return "invalid";
  }
  return "invalid";
}

}  // namespace hyperion
