// Errors as 8-byte values, and Result<T>.
//
// An Error says what went wrong (code), who is at fault (side), in which phase of the exchange,
// whether a retry is safe, and the errno if there was one. It is returned up the stack, turned into
// an answer by gateway/replies and into the two-letter end code of the request log. It never owns
// memory and never throws. Texts for people are made at the edge, from the code, so that no secret
// and no prompt can travel inside an error.
#pragma once

#include <cstdint>
#include <new>
#include <utility>

#include "base/assert.h"

namespace hyperion {

enum class ErrorCode : uint16_t {
  none = 0,
  end_of_stream,      // peer closed cleanly
  connection_reset,   // peer reset, or the socket failed
  connect_failed,     // refused, unreachable
  name_not_resolved,  // no address known for the host
  timed_out,
  cancelled,        // we gave up on purpose
  tls_handshake,    // any failure of a handshake
  tls_certificate,  // the peer's certificate was refused
  tls_truncated,    // end of stream without close_notify
  malformed_http,   // framing or head not acceptable
  malformed_json,
  malformed_sse,
  duplicate_key,  // a key we act on appears twice or in an escaped spelling
  wrong_type,
  unknown_key,
  too_deep,
  too_large,
  too_many,
  unsupported,
  not_found,
  unauthorised,
  overloaded,     // a limit of ours is reached
  surplus_bytes,  // the peer sent more than its framing allowed
  incomplete,     // the peer sent less than its framing announced
  io_failed,      // see errno
  invalid,
};

// Who is at fault. The first letter of the end code in the request log.
enum class Side : uint8_t { none, client, upstream, gateway };

// Where in the life of an exchange it happened. The second letter of the end code.
enum class Phase : uint8_t {
  none,
  head,
  body,
  decide,
  connect,
  send,
  await_head,
  await_token,
  relay,
  done
};

struct Error {
  ErrorCode code = ErrorCode::none;
  Side side = Side::none;
  Phase phase = Phase::none;
  uint8_t reused : 1 = 0;      // happened on a connection that had served a request before
  uint8_t retry_safe : 1 = 0;  // nothing of the request can have been acted upon
  int16_t system_errno = 0;

  constexpr explicit operator bool() const { return code != ErrorCode::none; }
  constexpr bool operator==(const Error& other) const = default;
};
static_assert(sizeof(Error) == 8);

constexpr Error make_error(ErrorCode code, Side side = Side::none, int system_errno = 0) {
  Error error;
  error.code = code;
  error.side = side;
  error.system_errno = static_cast<int16_t>(system_errno);
  return error;
}

// The name of a code as it appears in logs ("connection_reset"). Static storage.
const char* name_of(ErrorCode code);

// A value or an Error. Like every value type here it never allocates by itself.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : has_value_(true) { new (&value_) T(std::move(value)); }  // NOLINT: implicit
  Result(Error error) : has_value_(false), error_(error) {                   // NOLINT: implicit
    HYPERION_ASSERT(error.code != ErrorCode::none);
  }
  Result(Result&& other) noexcept : has_value_(other.has_value_), error_(other.error_) {
    if (has_value_) new (&value_) T(std::move(other.value_));
  }
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  Result& operator=(Result&&) = delete;
  ~Result() {
    if (has_value_) value_.~T();
  }

  explicit operator bool() const { return has_value_; }
  T& value() {
    HYPERION_ASSERT(has_value_);
    return value_;
  }
  const T& value() const {
    HYPERION_ASSERT(has_value_);
    return value_;
  }
  T& operator*() { return value(); }
  T* operator->() { return &value(); }
  const T& operator*() const { return value(); }
  const T* operator->() const { return &value(); }
  // The error; code none if there is a value.
  Error error() const { return has_value_ ? Error{} : error_; }

 private:
  bool has_value_;
  Error error_{};
  union {
    T value_;
  };
};

}  // namespace hyperion
