// What we ask of a peer's certificates beyond what wolfSSL asks.
//
// wolfSSL verifies the chain: signatures up to a trusted root, dates, basic constraints, key usage,
// name constraints, minimum key sizes. Measured on the `tls-badcerts` cases it takes SHA-1
// signatures and is lax about names. The engine's verify callback hands the chain as the peer sent
// it to `check_certificates` after all of that has passed. Pure; written for any bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "tls/certificate_name.h"
#include "tls/problem.h"

namespace hyperion::tls {

// The parts of a certificate that our own rules look at. Views into the certificate.
struct CertificateFields {
  std::string_view signature_algorithm;  // the whole AlgorithmIdentifier, DER
  std::string_view alternative_names;    // contents of the GeneralNames; empty when absent
  bool self_issued = false;              // issuer and subject are the same bytes
};

// Nothing when the bytes are not a version 3 certificate as RFC 5280 4.1 lays it out, when the
// signature algorithm differs inside and outside of the signed part, or when there are two
// subjectAltName extensions.
std::optional<CertificateFields> read_certificate(std::string_view der);

// True for RSA (PKCS #1 or PSS) and ECDSA with SHA-256, SHA-384 or SHA-512. A list of what is
// accepted, so that what is unknown is refused.
bool signature_algorithm_accepted(std::string_view algorithm_identifier);

// `chain` as sent, the peer's own certificate first. Every certificate must have an accepted
// signature, except a self-issued last one: that is the root, which is trusted by name and key and
// not by its own signature. The first one must cover `peer`.
Problem check_certificates(const std::string_view* chain, size_t count, const PeerName& peer);

}  // namespace hyperion::tls
