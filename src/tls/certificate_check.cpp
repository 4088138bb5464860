#include "tls/certificate_check.h"

#include "tls/der.h"

namespace hyperion::tls {
namespace {

using namespace std::string_view_literals;

// Contents of OBJECT IDENTIFIERs.
constexpr std::string_view subject_alternative_name_oid = "\x55\x1D\x11"sv;  // 2.5.29.17
constexpr std::string_view rsa_pss_oid = "\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A"sv;
constexpr std::string_view accepted_signature_oids[] = {
    "\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0B"sv,  // sha256WithRSAEncryption (RFC 4055)
    "\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0C"sv,  // sha384WithRSAEncryption
    "\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0D"sv,  // sha512WithRSAEncryption
    "\x2A\x86\x48\xCE\x3D\x04\x03\x02"sv,      // ecdsa-with-SHA256 (RFC 5758)
    "\x2A\x86\x48\xCE\x3D\x04\x03\x03"sv,      // ecdsa-with-SHA384
    "\x2A\x86\x48\xCE\x3D\x04\x03\x04"sv,      // ecdsa-with-SHA512
};
constexpr std::string_view accepted_pss_hash_oids[] = {
    "\x60\x86\x48\x01\x65\x03\x04\x02\x01"sv,  // SHA-256
    "\x60\x86\x48\x01\x65\x03\x04\x02\x02"sv,  // SHA-384
    "\x60\x86\x48\x01\x65\x03\x04\x02\x03"sv,  // SHA-512
};

template <size_t N>
bool is_one_of(std::string_view oid, const std::string_view (&list)[N]) {
  for (std::string_view item : list) {
    if (oid == item) return true;
  }
  return false;
}

// RSASSA-PSS-params of RFC 4055 3.1: the hash is in [0] and is SHA-1 when that is absent.
bool pss_hash_accepted(std::string_view parameters) {
  DerReader fields(parameters);
  std::string_view tagged, algorithm, oid;
  if (!fields.expect(der::context_constructed(0), &tagged)) return false;
  DerReader inside(tagged);
  if (!inside.expect(der::sequence, &algorithm)) return false;
  DerReader parts(algorithm);
  return parts.expect(der::object_identifier, &oid) && is_one_of(oid, accepted_pss_hash_oids);
}

// Extensions ::= SEQUENCE OF SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, value OCTET STRING }.
bool read_alternative_names(std::string_view extensions, CertificateFields* fields) {
  DerReader list(extensions);
  std::string_view extension;
  bool found = false;
  while (list.expect(der::sequence, &extension)) {
    DerReader parts(extension);
    std::string_view oid, critical, value;
    if (!parts.expect(der::object_identifier, &oid)) return false;
    if (parts.peek_tag() == der::boolean && !parts.expect(der::boolean, &critical)) return false;
    if (!parts.expect(der::octet_string, &value)) return false;
    if (oid != subject_alternative_name_oid) continue;
    DerReader names(value);
    if (found || !names.expect(der::sequence, &fields->alternative_names)) return false;
    found = true;
  }
  return !list.failed();
}

}  // namespace

std::optional<CertificateFields> read_certificate(std::string_view der) {
  CertificateFields fields;
  std::string_view certificate, signed_part, skipped, inner_algorithm, issuer, subject;
  DerReader top(der);
  if (!top.expect(der::sequence, &certificate) || !top.at_end()) return std::nullopt;
  DerReader outer(certificate);
  if (!outer.expect(der::sequence, &signed_part) ||
      !outer.expect(der::sequence, &skipped, &fields.signature_algorithm)) {
    return std::nullopt;
  }
  DerReader inner(signed_part);
  bool complete = inner.expect(der::context_constructed(0), &skipped) &&      // version
                  inner.expect(der::integer, &skipped) &&                     // serial number
                  inner.expect(der::sequence, &skipped, &inner_algorithm) &&  // signature
                  inner.expect(der::sequence, &skipped, &issuer) &&
                  inner.expect(der::sequence, &skipped) &&  // validity
                  inner.expect(der::sequence, &skipped, &subject) &&
                  inner.expect(der::sequence, &skipped);  // public key
  if (!complete || inner_algorithm != fields.signature_algorithm) return std::nullopt;
  fields.self_issued = issuer == subject;
  uint8_t tag = 0;
  std::string_view contents, extensions;
  while (inner.next(&tag, &contents)) {  // unique identifiers [1] and [2], extensions [3]
    if (tag != der::context_constructed(3)) continue;
    DerReader explicit_tag(contents);
    if (!explicit_tag.expect(der::sequence, &extensions)) return std::nullopt;
    if (!read_alternative_names(extensions, &fields)) return std::nullopt;
  }
  if (inner.failed()) return std::nullopt;
  return fields;
}

bool signature_algorithm_accepted(std::string_view algorithm_identifier) {
  std::string_view algorithm, oid, parameters;
  DerReader top(algorithm_identifier);
  if (!top.expect(der::sequence, &algorithm)) return false;
  DerReader parts(algorithm);
  if (!parts.expect(der::object_identifier, &oid)) return false;
  if (is_one_of(oid, accepted_signature_oids)) return true;
  return oid == rsa_pss_oid && parts.expect(der::sequence, &parameters) &&
         pss_hash_accepted(parameters);
}

Problem check_certificates(const std::string_view* chain, size_t count, const PeerName& peer) {
  if (count == 0) return Problem::certificate_missing;
  for (size_t i = 0; i < count; ++i) {
    std::optional<CertificateFields> fields = read_certificate(chain[i]);
    if (!fields) return Problem::certificate_malformed;
    bool sent_root = i > 0 && i + 1 == count && fields->self_issued;
    if (!sent_root && !signature_algorithm_accepted(fields->signature_algorithm)) {
      return Problem::certificate_weak_signature;
    }
    if (i == 0 && !alternative_names_cover(fields->alternative_names, peer)) {
      return Problem::certificate_wrong_name;
    }
  }
  return Problem::none;
}

}  // namespace hyperion::tls
