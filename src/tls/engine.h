// TLS without I/O: ciphertext in and out, plaintext out and in.
//
// An Engine is one TLS connection over one WOLFSSL object. Its user feeds it the bytes that came
// from the peer and calls `handshake`, then `read` until it wants more; whatever the library has to
// send (records, alerts, handshake messages) is appended to the queue given at the start, at once
// and without limit, so nothing inside ever waits for room to write. Back-pressure is the user's
// business (TlsStream). Used by TlsStream and the tests.
//
// A client engine cannot exist without the name of its peer, and cannot become established unless
// the verify callback saw the peer's own certificate, the chain was verified and
// `check_certificates` was content. Everything a peer can do wrong ends in `failed` with an error
// from problem.h. After `failed` only the destructor may be called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "io/write_queue.h"
#include "tls/certificate_name.h"
#include "tls/context.h"
#include "tls/problem.h"

struct WOLFSSL;
struct WOLFSSL_X509_STORE_CTX;

namespace hyperion::tls {

class Engine {
 public:
  enum class Status : uint8_t {
    done,         // the call did what it was asked for
    wants_input,  // all that was fed is used up; feed more, then call again
    closed,       // read: the peer said close_notify; no more plaintext comes
    failed,       // see `error`
  };

  // A record holds at most this much plaintext (RFC 8446 5.1).
  static constexpr size_t record_bytes_max = 16 * 1024;
  // What a peer's record can hold at the very most, should the library not insist on the former:
  // the limit of the ciphertext (RFC 8446 5.2).
  static constexpr size_t decrypted_bytes_max = record_bytes_max + 256;

  // `output` gets the ciphertext and must outlive the engine.
  explicit Engine(io::WriteQueue& output) : output_(output) {}
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  // One of the two, once, first. False when memory is short.
  bool start_client(ClientContext& context, PeerName peer);
  bool start_server(ServerContext& context);

  // The bytes are read during the following calls, not in this one. What was fed before must have
  // been used up, or taken back with `take_input`.
  void feed(std::string_view ciphertext);
  // What of the fed bytes has not been used; the engine forgets it.
  std::string_view take_input();
  bool has_input() const { return !input_.empty(); }

  // Goes on with the handshake; `done` once it is complete. A client calls it first without input.
  Status handshake();
  bool established() const { return established_; }

  // Plaintext into `buffer`: `done` with `*size` > 0, or why not. Call until `wants_input`: one fed
  // piece can hold many records, and one record can hold more than `capacity`.
  Status read(char* buffer, size_t capacity, size_t* size);

  // Encrypts 1 to `record_bytes_max` bytes as one record: `done` or `failed`. About 0.5 us and
  // 0.6 us for each KiB.
  Status write(std::string_view plaintext);

  // Sends close_notify, once; reading may go on.
  Status close();

  Error error() const { return error_; }

  // For contexts: routes the library's I/O and certificate verification to the engine.
  static void install_callbacks(WOLFSSL_CTX* native);

 private:
  static int on_library_receive(WOLFSSL* native, char* buffer, int size, void* engine);
  static int on_library_send(WOLFSSL* native, char* buffer, int size, void* engine);
  static int on_library_verify(int verified, WOLFSSL_X509_STORE_CTX* store);

  bool start(WOLFSSL_CTX* context);
  bool input_is_tls();
  bool accept_certificates(WOLFSSL_X509_STORE_CTX* store);
  Status finish_handshake();
  void forget_intermediates();
  Status fail(ErrorCode code, Problem problem);
  Status fail_from_library(int code);
  Problem problem_of_alert() const;

  WOLFSSL* native_ = nullptr;
  io::WriteQueue& output_;
  std::string_view input_;
  PeerName peer_;
  Error error_;
  Problem certificate_problem_ = Problem::none;
  bool client_ = false;
  bool input_seen_ = false;
  bool certificate_accepted_ = false;
  bool established_ = false;
  bool output_full_ = false;
};

}  // namespace hyperion::tls
