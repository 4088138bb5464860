#include "tls/context.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "base/assert.h"
#include "tls/engine.h"

namespace hyperion::tls {
namespace {

// A system's bundle has 200 to 300 KB; more than this is no certificate or key file.
constexpr size_t pem_file_bytes_max = 4 * 1024 * 1024;

// Where distributions keep the bundle: Debian and its kin, Fedora and its kin, openSUSE, Alpine.
constexpr const char* system_bundle_paths[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

// Forward secrecy and authenticated encryption only; AES-128 first, it is the fastest with AES-NI.
constexpr char cipher_suites[] =
    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

void initialise_library() {
  // Thread-safe and once, by the rules of the language.
  static const int result = wolfSSL_Init();
  HYPERION_ASSERT(result == WOLFSSL_SUCCESS);
}

// Reads a whole file; false with a text that names the file and the reason.
bool read_file(const char* setting, const std::string& path, std::string* bytes,
               std::string* error) {
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    int reason = errno;
    *error = std::string("cannot open ") + setting + " \"" + path + "\": " + strerror(reason);
    if (reason == ENOENT) *error += "; check the path in the configuration";
    if (reason == EACCES) *error += "; make it readable for the user Hyperion runs as";
    return false;
  }
  bytes->clear();
  char buffer[16 * 1024];
  ssize_t got = 0;
  while ((got = read(file, buffer, sizeof(buffer))) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || bytes->size() > pem_file_bytes_max) break;
    bytes->append(buffer, static_cast<size_t>(got));
  }
  int reason = got < 0 ? errno : 0;
  close(file);
  explicit_bzero(buffer, sizeof(buffer));
  if (got == 0) return true;
  *error = std::string("cannot read ") + setting + " \"" + path + "\": " +
           (reason != 0 ? strerror(reason) : "larger than 4 MiB, so not a PEM file of ours");
  return false;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Everything that clients and servers have in common. nullptr when memory is short.
WOLFSSL_CTX* make_native(WOLFSSL_METHOD* method) {
  WOLFSSL_CTX* native = wolfSSL_CTX_new(method);
  if (native == nullptr) return nullptr;
  // These fail only for what the library was built without, which is a mistake of the build.
  HYPERION_ASSERT(wolfSSL_CTX_SetMinVersion(native, WOLFSSL_TLSV1_2) == WOLFSSL_SUCCESS);
  HYPERION_ASSERT(wolfSSL_CTX_set_cipher_list(native, cipher_suites) == WOLFSSL_SUCCESS);
  HYPERION_ASSERT(wolfSSL_CTX_SetMinRsaKey_Sz(native, 2048) == WOLFSSL_SUCCESS);
  HYPERION_ASSERT(wolfSSL_CTX_SetMinEccKey_Sz(native, 256) == WOLFSSL_SUCCESS);
#ifndef NO_SESSION_CACHE
  wolfSSL_CTX_set_session_cache_mode(native, WOLFSSL_SESS_CACHE_OFF);
#endif
  Engine::install_callbacks(native);
  return native;
}

// The next PEM certificate of `pem`, cut off its front; empty when there is none.
std::string_view next_certificate(std::string_view* pem) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view end = "-----END CERTIFICATE-----";
  size_t from = pem->find(begin);
  if (from == std::string_view::npos) return {};
  size_t until = pem->find(end, from);
  if (until == std::string_view::npos) return {};
  until += end.size();
  std::string_view found = pem->substr(from, until - from);
  pem->remove_prefix(until);
  return found;
}

const char* library_text(int code) {
  return wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(code));
}

}  // namespace

std::unique_ptr<ClientContext> ClientContext::create(const ClientSettings& settings,
                                                     HandshakeGate& gate, std::string* error) {
  initialise_library();
  std::string path = settings.ca_file;
  std::string pem;
  if (!path.empty()) {
    if (!read_file("ca_file", path, &pem, error)) return nullptr;
  } else {
    for (const char* candidate : system_bundle_paths) {
      if (access(candidate, R_OK) == 0) path = candidate;
      if (!path.empty()) break;
    }
    if (path.empty()) {
      *error =
          "this system has no bundle of certificate authorities at any known path; install "
          "the package ca-certificates or set ca_file";
      return nullptr;
    }
    if (!read_file("the system's CA bundle", path, &pem, error)) return nullptr;
  }
  WOLFSSL_CTX* native = make_native(wolfSSLv23_client_method());
  if (native == nullptr) {
    *error = "out of memory for a TLS context";
    return nullptr;
  }
  std::unique_ptr<ClientContext> context(new ClientContext(native, gate));
  if (!context->load_authorities(path, pem, error)) return nullptr;
  return context;
}

bool ClientContext::load_authorities(const std::string& path, const std::string& pem,
                                     std::string* error) {
  // One at a time: a bundle in one piece would be refused as a whole for its worst certificate.
  std::string_view rest = pem;
  int first_problem = 0;
  while (true) {
    std::string_view certificate = next_certificate(&rest);
    if (certificate.empty()) break;
    int result = wolfSSL_CTX_load_verify_buffer_ex(native_, bytes_of(certificate),
                                                   static_cast<long>(certificate.size()),
                                                   WOLFSSL_FILETYPE_PEM, 0, WOLFSSL_LOAD_FLAG_NONE);
    if (result == WOLFSSL_SUCCESS) {
      ++authorities_;
    } else {
      ++authorities_left_out_;
      if (first_problem == 0) first_problem = result;
    }
  }
  if (authorities_ > 0) return true;
  *error = "\"" + path + "\" holds no usable certificate authority in PEM form";
  if (first_problem != 0) *error += std::string(" (") + library_text(first_problem) + ")";
  *error += "; name a file of CA certificates (BEGIN CERTIFICATE) in ca_file";
  return false;
}

ClientContext::~ClientContext() { wolfSSL_CTX_free(native_); }

std::unique_ptr<ServerContext> ServerContext::create(const ServerSettings& settings,
                                                     HandshakeGate& gate, std::string* error) {
  initialise_library();
  std::string chain;
  std::string key;
  if (!read_file("certificate_file", settings.certificate_file, &chain, error)) return nullptr;
  if (!read_file("key_file", settings.key_file, &key, error)) return nullptr;
  WOLFSSL_CTX* native = make_native(wolfSSLv23_server_method());
  if (native == nullptr) {
    *error = "out of memory for a TLS context";
    return nullptr;
  }
  std::unique_ptr<ServerContext> context(new ServerContext(native, gate));
  int result = wolfSSL_CTX_use_certificate_chain_buffer(native, bytes_of(chain),
                                                        static_cast<long>(chain.size()));
  if (result != WOLFSSL_SUCCESS) {
    *error = "certificate_file \"" + settings.certificate_file + "\" cannot be used (" +
             library_text(result) + "); it must hold our certificate in PEM form, then its issuers";
    return nullptr;
  }
  result = wolfSSL_CTX_use_PrivateKey_buffer(native, bytes_of(key), static_cast<long>(key.size()),
                                             WOLFSSL_FILETYPE_PEM);
  explicit_bzero(key.data(), key.size());
  if (result != WOLFSSL_SUCCESS) {
    *error = "key_file \"" + settings.key_file + "\" cannot be used (" + library_text(result) +
             "); it must hold one private key in PEM form, not encrypted";
    return nullptr;
  }
  if (wolfSSL_CTX_check_private_key(native) != WOLFSSL_SUCCESS) {
    *error = "key_file \"" + settings.key_file + "\" is not the key of certificate_file \"" +
             settings.certificate_file + "\"; deploy the two of one pair";
    return nullptr;
  }
  return context;
}

ServerContext::~ServerContext() { wolfSSL_CTX_free(native_); }

}  // namespace hyperion::tls
