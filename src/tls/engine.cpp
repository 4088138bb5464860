#include "tls/engine.h"

#include <algorithm>
#include <cstring>
#include <utility>

// options.h configures the others, so it comes first.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
// clang-format on

#include "base/assert.h"
#include "tls/certificate_check.h"

namespace hyperion::tls {
namespace {

constexpr std::string_view protocol = "http/1.1";

// More certificates than a chain can have; wolfSSL itself stops at MAX_CHAIN_DEPTH (9).
constexpr size_t chain_certificates_max = 16;

// wolfSSL's error numbers, as far as an operator can tell them apart and act on them.
Problem problem_of_library_error(int code) {
  switch (code) {
    case ASN_NO_SIGNER_E:
    case ASN_SELF_SIGNED_E: return Problem::certificate_untrusted;
    case ASN_AFTER_DATE_E: return Problem::certificate_expired;
    case ASN_BEFORE_DATE_E: return Problem::certificate_not_yet_valid;
    case EXTKEYUSE_AUTH_E:
    case KEYUSE_SIGNATURE_E:
    case KEYUSE_ENCIPHER_E: return Problem::certificate_wrong_purpose;
    case HASH_TYPE_E:
    case ASN_SIG_HASH_E:
    case ASN_SIG_KEY_E: return Problem::certificate_weak_signature;
    case RSA_KEY_SIZE_E:
    case ECC_KEY_SIZE_E: return Problem::certificate_weak_key;
    case ASN_PARSE_E:
    case PEER_KEY_ERROR: return Problem::certificate_malformed;
    case ASN_SIG_CONFIRM_E:
    case ASN_SIG_OID_E:
    case ASN_NAME_INVALID_E:
    case ASN_CRIT_EXT_E:
    case ASN_PATHLEN_SIZE_E:
    case ASN_PATHLEN_INV_E:
    case NOT_CA_ERROR:
    case MAX_CHAIN_ERROR: return Problem::certificate_chain_invalid;
    case NO_PEER_CERT:
    case NO_PEER_KEY: return Problem::certificate_missing;
    case VERSION_ERROR: return Problem::version_refused;
    case MATCH_SUITE_ERROR:
    case UNSUPPORTED_SUITE:
    case KEY_SHARE_ERROR:
    case BAD_KEY_SHARE_DATA: return Problem::no_common_cipher;
    case UNKNOWN_ALPN_PROTOCOL_NAME_E: return Problem::no_common_protocol;
    case MEMORY_E:
    case MEMORY_ERROR: return Problem::out_of_memory;
    default: return Problem::protocol_violation;
  }
}

bool is_certificate_problem(Problem problem) {
  return problem <= Problem::certificate_untrusted && problem >= Problem::certificate_missing;
}

}  // namespace

Engine::~Engine() { wolfSSL_free(native_); }

void Engine::install_callbacks(WOLFSSL_CTX* native) {
  wolfSSL_CTX_SetIORecv(native, on_library_receive);
  wolfSSL_CTX_SetIOSend(native, on_library_send);
}

bool Engine::start(WOLFSSL_CTX* context) {
  HYPERION_ASSERT(native_ == nullptr);
  native_ = wolfSSL_new(context);
  if (native_ == nullptr) return false;
  wolfSSL_SetIOReadCtx(native_, this);
  wolfSSL_SetIOWriteCtx(native_, this);
  std::string name(protocol);
  return wolfSSL_UseALPN(native_, name.data(), static_cast<unsigned>(name.size()),
                         WOLFSSL_ALPN_FAILED_ON_MISMATCH) == WOLFSSL_SUCCESS;
}

bool Engine::start_client(ClientContext& context, PeerName peer) {
  client_ = true;
  peer_ = std::move(peer);
  if (!start(context.native())) return false;
  wolfSSL_set_verify(native_, WOLFSSL_VERIFY_PEER, on_library_verify);
  wolfSSL_SetCertCbCtx(native_, this);
  // RFC 6066 3: no literal addresses in SNI.
  if (peer_.kind == PeerName::Kind::ip) return true;
  return wolfSSL_UseSNI(native_, WOLFSSL_SNI_HOST_NAME, peer_.dns.data(),
                        static_cast<unsigned short>(peer_.dns.size())) == WOLFSSL_SUCCESS;
}

bool Engine::start_server(ServerContext& context) {
  if (!start(context.native())) return false;
  wolfSSL_set_verify(native_, WOLFSSL_VERIFY_NONE, nullptr);
  return true;
}

void Engine::feed(std::string_view ciphertext) {
  HYPERION_ASSERT(input_.empty());
  input_ = ciphertext;
}

std::string_view Engine::take_input() { return std::exchange(input_, {}); }

// A peer that speaks something else is told apart by its first byte, and gets no alert it would
// not understand.
bool Engine::input_is_tls() {
  if (input_seen_ || input_.empty()) return true;
  input_seen_ = true;
  // ContentType of RFC 8446 5.1: an alert or a handshake.
  return input_[0] == 21 || input_[0] == 22;
}

Engine::Status Engine::handshake() {
  HYPERION_ASSERT(!established_ && !error_);
  if (!input_is_tls()) return fail(ErrorCode::tls_handshake, Problem::not_tls);
  int result = client_ ? wolfSSL_connect(native_) : wolfSSL_accept(native_);
  if (client_) forget_intermediates();
  if (result == WOLFSSL_SUCCESS) return finish_handshake();
  int code = wolfSSL_get_error(native_, result);
  if (code == WOLFSSL_ERROR_WANT_READ) return Status::wants_input;
  return fail_from_library(code);
}

Engine::Status Engine::finish_handshake() {
  // Not reachable while the library calls us as it promises. If it ever does not, fail.
  if (client_ && !certificate_accepted_) {
    return fail(ErrorCode::tls_certificate, Problem::certificate_missing);
  }
  char* name = nullptr;
  unsigned short size = 0;
  if (wolfSSL_ALPN_GetProtocol(native_, &name, &size) == WOLFSSL_SUCCESS &&
      std::string_view(name, size) != protocol) {
    return fail(ErrorCode::tls_handshake, Problem::no_common_protocol);
  }
  peer_ = {};
  established_ = true;
  return Status::done;
}

Engine::Status Engine::read(char* buffer, size_t capacity, size_t* size) {
  HYPERION_ASSERT(established_ && !error_);
  int result = wolfSSL_read(native_, buffer, static_cast<int>(capacity));
  if (result > 0) {
    *size = static_cast<size_t>(result);
    return Status::done;
  }
  *size = 0;
  // Both WANT codes look the same in the result (wolfSSL/wolfssl#156).
  int code = wolfSSL_get_error(native_, result);
  if (code == WOLFSSL_ERROR_WANT_READ) return Status::wants_input;
  if (code == WOLFSSL_ERROR_ZERO_RETURN) return Status::closed;
  return fail_from_library(code);
}

Engine::Status Engine::write(std::string_view plaintext) {
  HYPERION_ASSERT(established_ && !error_);
  HYPERION_ASSERT(!plaintext.empty() && plaintext.size() <= record_bytes_max);
  int size = static_cast<int>(plaintext.size());
  int result = wolfSSL_write(native_, plaintext.data(), size);
  if (result == size) return Status::done;
  return fail_from_library(wolfSSL_get_error(native_, result));
}

Engine::Status Engine::close() {
  HYPERION_ASSERT(established_ && !error_);
  int result = wolfSSL_shutdown(native_);
  if (result == WOLFSSL_SUCCESS || result == WOLFSSL_SHUTDOWN_NOT_DONE) return Status::done;
  return fail_from_library(wolfSSL_get_error(native_, result));
}

// Intermediates that a peer sent stay in the library's table of authorities once verified. Take
// them out again: what one peer sends must not decide whether another one is trusted, nor fill
// memory.
void Engine::forget_intermediates() {
  WOLFSSL_CERT_MANAGER* manager = wolfSSL_CTX_GetCertManager(wolfSSL_get_SSL_CTX(native_));
  HYPERION_ASSERT(wolfSSL_CertManagerUnloadIntermediateCerts(manager) == WOLFSSL_SUCCESS);
}

Engine::Status Engine::fail(ErrorCode code, Problem problem) {
  error_ = make_tls_error(code, problem);
  return Status::failed;
}

Engine::Status Engine::fail_from_library(int code) {
  if (output_full_) return fail(ErrorCode::overloaded, Problem::out_of_memory);
  if (established_) return fail(ErrorCode::connection_reset, Problem::record_refused);
  if (certificate_problem_ != Problem::none) {
    return fail(ErrorCode::tls_certificate, certificate_problem_);
  }
  Problem problem = code == FATAL_ERROR ? problem_of_alert() : problem_of_library_error(code);
  ErrorCode kind =
      is_certificate_problem(problem) ? ErrorCode::tls_certificate : ErrorCode::tls_handshake;
  return fail(kind, problem);
}

// What the peer's fatal alert says, where it says something useful (RFC 8446 6.2).
Problem Engine::problem_of_alert() const {
  WOLFSSL_ALERT_HISTORY history;
  if (wolfSSL_get_alert_history(native_, &history) != WOLFSSL_SUCCESS) {
    return Problem::alert_from_peer;
  }
  switch (history.last_rx.code) {
    case handshake_failure: return Problem::no_common_cipher;
    case wolfssl_alert_protocol_version: return Problem::version_refused;
    case no_application_protocol: return Problem::no_common_protocol;
    default: return Problem::alert_from_peer;
  }
}

int Engine::on_library_receive(WOLFSSL*, char* buffer, int size, void* engine) {
  std::string_view& input = static_cast<Engine*>(engine)->input_;
  size_t part = std::min(input.size(), static_cast<size_t>(size));
  if (part == 0) return WOLFSSL_CBIO_ERR_WANT_READ;
  std::memcpy(buffer, input.data(), part);
  input.remove_prefix(part);
  return static_cast<int>(part);
}

int Engine::on_library_send(WOLFSSL*, char* buffer, int size, void* engine) {
  auto* self = static_cast<Engine*>(engine);
  if (self->output_.append_copy({buffer, static_cast<size_t>(size)})) return size;
  self->output_full_ = true;
  return WOLFSSL_CBIO_ERR_GENERAL;
}

// Called for the peer's own certificate always, for the others when something is wrong. Zero
// refuses; anything else accepts whatever was wrong, so it must never be more than `verified`.
int Engine::on_library_verify(int verified, WOLFSSL_X509_STORE_CTX* store) {
  auto* self = static_cast<Engine*>(store->userCtx);
  if (verified == 0) {
    self->certificate_accepted_ = false;
    Problem problem = problem_of_library_error(store->error);
    if (!is_certificate_problem(problem)) problem = Problem::certificate_chain_invalid;
    if (self->certificate_problem_ == Problem::none) self->certificate_problem_ = problem;
    return 0;
  }
  if (store->error_depth != 0) return 1;
  return self->accept_certificates(store) ? 1 : 0;
}

bool Engine::accept_certificates(WOLFSSL_X509_STORE_CTX* store) {
  std::string_view chain[chain_certificates_max];
  size_t count = static_cast<size_t>(store->totalCerts);
  Problem problem = Problem::certificate_chain_invalid;
  if (store->certs != nullptr && count <= chain_certificates_max) {
    for (size_t i = 0; i < count; ++i) {
      const WOLFSSL_BUFFER_INFO& certificate = store->certs[i];
      chain[i] = {reinterpret_cast<const char*>(certificate.buffer), certificate.length};
    }
    problem = check_certificates(chain, count, peer_);
  }
  if (certificate_problem_ == Problem::none) certificate_problem_ = problem;
  certificate_accepted_ = certificate_problem_ == Problem::none;
  return certificate_accepted_;
}

}  // namespace hyperion::tls
