#include "common/tls/client_context.h"

#include <cerrno>
#include <fstream>
#include <string_view>

#include <boost/asio/ssl/context.hpp>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>

#include "common/tls/holders.h"

namespace slipstream::tls {
namespace {

namespace ssl = boost::asio::ssl;

constexpr std::string_view kPemBegin = "-----BEGIN ";
constexpr std::string_view kJksBegin = "\xFE\xED\xFE\xED";
constexpr size_t kFileBytesMax = size_t{4} << 20;

struct FreePkcs12 {
  void operator()(PKCS12* store) const { PKCS12_free(store); }
};

// What a file holds, of whichever kind it is.
struct Contents {
  KeyPtr key;
  CertificatePtr certificate;  // the key's
  ChainPtr others;             // those that lead from it to an authority, and those to be believed
};

Status Unfit(const std::string& file, const std::string& why) {
  ERR_clear_error();
  return InvalidArgument(file + ": " + why);
}

Result<std::string> ReadWhole(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in.is_open()) return ErrnoStatus(errno, file);
  std::string text(kFileBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kFileBytesMax) return Unfit(file, "too large for a store of certificates");
  return text;
}

int GivePassword(char* out, int size, int /*is_writing*/, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  if (text.size() > static_cast<size_t>(size)) return -1;
  text.copy(out, text.size());
  return static_cast<int>(text.size());
}

Result<Contents> ReadPem(const std::string& file, const std::string& text, std::string password) {
  const auto open = [&] {
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  };
  Contents contents{.others = ChainPtr(sk_X509_new_null())};
  if (text.find("PRIVATE KEY-----") != std::string::npos) {
    contents.key.reset(PEM_read_bio_PrivateKey(open().get(), nullptr, GivePassword, &password));
    if (contents.key == nullptr)
      return Unfit(file, "its private key cannot be read: the password?");
  }
  const BioPtr pem = open();
  while (X509* next = PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr)) {
    CertificatePtr certificate(next);
    const bool is_own = contents.key != nullptr && contents.certificate == nullptr &&
                        X509_check_private_key(next, contents.key.get()) == 1;
    if (is_own) {
      contents.certificate = std::move(certificate);
    } else {
      sk_X509_push(contents.others.get(), certificate.release());
    }
  }
  ERR_clear_error();
  return contents;
}

Result<Contents> ReadPkcs12(const std::string& file,
                            const std::string& text,
                            const std::string& password) {
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  const std::unique_ptr<PKCS12, FreePkcs12> store(d2i_PKCS12_bio(bio.get(), nullptr));
  if (store == nullptr) return Unfit(file, "neither PEM nor PKCS #12");
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (PKCS12_parse(store.get(), password.c_str(), &key, &certificate, &others) != 1) {
    return Unfit(file, "cannot be opened: another password?");
  }
  Contents contents{.key = KeyPtr(key),
                    .certificate = CertificatePtr(certificate),
                    .others = ChainPtr(others == nullptr ? sk_X509_new_null() : others)};
  ERR_clear_error();
  return contents;
}

Result<Contents> Read(const std::string& file, const std::string& password) {
  ASSIGN_OR_RETURN(const std::string text, ReadWhole(file));
  if (text.starts_with(kJksBegin)) {
    return Unfit(file,
                 "a JKS store, which only Java reads: keytool -importkeystore -srckeystore " +
                     file +
                     " -destkeystore FILE.p12 -deststoretype pkcs12 makes one that can be read");
  }
  return text.find(kPemBegin) != std::string::npos ? ReadPem(file, text, password)
                                                   : ReadPkcs12(file, text, password);
}

Status Trust(SSL_CTX* context, const ClientStores& stores) {
  if (stores.truststore.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  ASSIGN_OR_RETURN(const Contents contents, Read(stores.truststore, stores.truststore_password));
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  const int count = sk_X509_num(contents.others.get());
  if (count == 0 && contents.certificate == nullptr) {
    return Unfit(stores.truststore, "no certificate in it");
  }
  for (int i = 0; i < count; ++i)
    X509_STORE_add_cert(store, sk_X509_value(contents.others.get(), i));
  if (contents.certificate != nullptr) X509_STORE_add_cert(store, contents.certificate.get());
  return {};
}

Status ShowOwn(SSL_CTX* context, const ClientStores& stores) {
  if (stores.keystore.empty()) return {};
  ASSIGN_OR_RETURN(const Contents contents, Read(stores.keystore, stores.keystore_password));
  if (contents.key == nullptr || contents.certificate == nullptr) {
    return Unfit(stores.keystore, "no private key with its certificate in it");
  }
  const bool is_taken = SSL_CTX_use_certificate(context, contents.certificate.get()) == 1 &&
                        SSL_CTX_use_PrivateKey(context, contents.key.get()) == 1 &&
                        SSL_CTX_set1_chain(context, contents.others.get()) == 1;
  return is_taken ? Status() : Unfit(stores.keystore, "its key or certificate is not taken");
}

}  // namespace

Result<std::shared_ptr<ssl::context>> MakeClientContext(const ClientStores& stores) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  RETURN_IF_ERROR(Trust(native, stores));
  RETURN_IF_ERROR(ShowOwn(native, stores));
  boost::system::error_code error;
  context->set_verify_mode(ssl::verify_peer, error);
  if (error) return Internal("TLS: " + error.message());
  return context;
}

}  // namespace slipstream::tls
