#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/fs/file_version.h"
#include "common/status/status.h"

namespace boost::asio::ssl {
class context;
}

namespace slipstream::tls {

// Of those that connect.
enum class ClientCertificate {
  kNotAsked,  // they prove themselves by something else
  kRequired,  // by one of the authority
};

// ServerContext: what a server over HTTPS proves itself by: the files of a --tls-dir (tls_dir.h),
// read again when they change. TLS 1.2 and later.
//
// Threads  not thread-safe: one thread accepts.
// Blocking looks at two files for every connection, and reads them when they have changed.
class ServerContext final {
 public:
  // Errors: as CheckTlsDir.
  static Result<std::unique_ptr<ServerContext>> Open(const std::string& tls_dir,
                                                     ClientCertificate clients);

  // For a new connection, which may keep it. Where new files are no good, the last ones that were.
  std::shared_ptr<boost::asio::ssl::context> Current();

 private:
  struct Versions {
    std::optional<FileVersion> host;
    std::optional<FileVersion> authority;
    friend bool operator==(const Versions&, const Versions&) = default;
  };

  ServerContext(std::string tls_dir, ClientCertificate clients)
      : tls_dir_(std::move(tls_dir)), clients_(clients) {}

  Versions LookAt() const;
  Status Load();

  const std::string tls_dir_;
  const ClientCertificate clients_;
  Versions read_;                                       // what was read last, good or not
  std::shared_ptr<boost::asio::ssl::context> context_;  // shared with the connections made with it
};

}  // namespace slipstream::tls
