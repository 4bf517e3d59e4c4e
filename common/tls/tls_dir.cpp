#include "common/tls/tls_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "common/tls/holders.h"

namespace slipstream::tls {
namespace {

// Far above any chain of certificates; what is larger is no such file.
constexpr off_t kFileBytesMax = 1 << 20;

Status Unfit(const std::string& file, const std::string& why) {
  ERR_clear_error();
  return InvalidArgument(file + ": " + why);
}

enum class Secrecy { kPublic, kPrivate };

Result<BioPtr> OpenPem(const std::string& file, Secrecy secrecy) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const Status status = ErrnoStatus(errno, "TLS: " + file);
    return Status(status.code(), status.message() + " (`slipstream certs` makes it)");
  }
  BioPtr bio(BIO_new_fd(descriptor, BIO_CLOSE));
  struct stat about {};
  if (::fstat(descriptor, &about) != 0) return ErrnoStatus(errno, file);
  if (!S_ISREG(about.st_mode) || about.st_size > kFileBytesMax) return Unfit(file, "no PEM file");
  if (secrecy == Secrecy::kPrivate && (about.st_mode & S_IRWXO) != 0) {
    return Status(Code::kPermissionDenied,
                  file + " holds a private key that everybody may read: chmod o= " + file);
  }
  // As a whole into memory: OpenSSL goes through it several times.
  std::string text(static_cast<size_t>(about.st_size), '\0');
  const int count = BIO_read(bio.get(), text.data(), static_cast<int>(text.size()));
  BioPtr memory(BIO_new(BIO_s_mem()));
  if (count > 0) BIO_write(memory.get(), text.data(), count);
  return memory;
}

// Null where there is no more.
CertificatePtr NextCertificate(BIO* pem) {
  return CertificatePtr(PEM_read_bio_X509(pem, nullptr, nullptr, nullptr));
}

Result<StorePtr> ReadAuthorities(const std::string& file) {
  ASSIGN_OR_RETURN(const BioPtr pem, OpenPem(file, Secrecy::kPublic));
  StorePtr store(X509_STORE_new());
  int count = 0;
  while (CertificatePtr certificate = NextCertificate(pem.get())) {
    X509_STORE_add_cert(store.get(), certificate.get());
    ++count;
  }
  ERR_clear_error();
  if (count == 0) return Unfit(file, "no certificate in it");
  return store;
}

Status Verify(const std::string& tls_dir, X509* certificate, STACK_OF(X509) * chain) {
  ASSIGN_OR_RETURN(const StorePtr authorities, ReadAuthorities(AuthorityFile(tls_dir)));
  StoreContextPtr context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), authorities.get(), certificate, chain) == 1 &&
      X509_verify_cert(context.get()) == 1) {
    return {};
  }
  const std::string file = HostFile(tls_dir);
  switch (const int error = X509_STORE_CTX_get_error(context.get())) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Unfit(file, "the certificate has expired: `slipstream certs --renew` makes a new one");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Unfit(file, "the certificate is not valid yet: is this machine's clock right?");
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return Unfit(file, "not signed by the authority of " + AuthorityFile(tls_dir));
    default:
      return Unfit(file, X509_verify_cert_error_string(error));
  }
}

}  // namespace

std::string AuthorityFile(const std::string& tls_dir) {
  return tls_dir + "/ca.pem";
}

std::string HostFile(const std::string& tls_dir) {
  return tls_dir + "/host.pem";
}

std::string TokenFile(const std::string& tls_dir) {
  return tls_dir + "/token";
}

bool HasCertificate(const std::string& tls_dir) {
  return ::access(HostFile(tls_dir).c_str(), F_OK) == 0;
}

Status CheckClientTlsDir(const std::string& tls_dir) {
  if (HasCertificate(tls_dir)) return CheckTlsDir(tls_dir);
  return ReadAuthorities(AuthorityFile(tls_dir)).status();
}

Status CheckTlsDir(const std::string& tls_dir) {
  const std::string file = HostFile(tls_dir);
  ASSIGN_OR_RETURN(const BioPtr keys, OpenPem(file, Secrecy::kPrivate));
  const KeyPtr key(PEM_read_bio_PrivateKey(keys.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return Unfit(file, "no private key in it");
  ASSIGN_OR_RETURN(const BioPtr certificates, OpenPem(file, Secrecy::kPrivate));
  const CertificatePtr own = NextCertificate(certificates.get());
  if (own == nullptr) return Unfit(file, "no certificate in it");
  if (X509_check_private_key(own.get(), key.get()) != 1) {
    return Unfit(file, "its private key is not that of its certificate");
  }
  const ChainPtr chain(sk_X509_new_null());
  while (CertificatePtr next = NextCertificate(certificates.get()))
    sk_X509_push(chain.get(), next.release());
  ERR_clear_error();
  return Verify(tls_dir, own.get(), chain.get());
}

}  // namespace slipstream::tls
