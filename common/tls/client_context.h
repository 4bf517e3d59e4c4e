#pragma once

#include <memory>
#include <string>

#include "common/status/status.h"

namespace boost::asio::ssl {
class context;
}

namespace slipstream::tls {

// The files a client of somebody else's server goes by, as Java programs name them: PEM, or PKCS
// #12
// (.p12), which its first bytes say. Java's own JKS is not read: `keytool -importkeystore` makes it
// a PKCS #12.
struct ClientStores {
  std::string truststore;           // authorities to believe; empty: the machine's
  std::string truststore_password;  // of PKCS #12
  std::string keystore;             // the client's own certificate and key; empty: none is shown
  std::string keystore_password;    // of PKCS #12, or of PEM's key
};

// For connections that are TLS 1.2 or later, to servers whose certificate is one of those
// authorities'. Whoever connects sees to the server's name.
// Errors: kNotFound, kInvalidArgument (no such store, or another password).
Result<std::shared_ptr<boost::asio::ssl::context>> MakeClientContext(const ClientStores& stores);

}  // namespace slipstream::tls
