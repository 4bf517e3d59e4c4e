#include "common/rpc/credentials.h"

#include <optional>
#include <utility>

#include <fmt/format.h>
#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <spdlog/logger.h>

#include "common/log/log.h"
#include "common/rpc/library.h"
#include "common/tls/tls_dir.h"

namespace slipstream::rpc {
namespace {

using grpc::experimental::FileWatcherCertificateProvider;

constexpr unsigned int kReadAgainSeconds = 1;

std::shared_ptr<FileWatcherCertificateProvider> WatchFiles(const std::string& tls_dir) {
  const std::string host = tls::HostFile(tls_dir);
  return std::make_shared<FileWatcherCertificateProvider>(
      host, host, tls::AuthorityFile(tls_dir), kReadAgainSeconds);
}

std::string_view View(const grpc::string_ref& text) {
  return {text.data(), text.size()};
}

// RoleCheck: asks every call for the role it needs, before its handler runs.
// Threads: thread-safe; runs on gRPC's threads and does not block.
class RoleCheck final : public grpc::AuthMetadataProcessor {
 public:
  explicit RoleCheck(const ServerAccess& access)
      : access_(access),
        authenticator_(access.authenticator != nullptr
                           ? access.authenticator
                           : std::make_shared<const Authenticator>(nullptr)) {}

  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata,
                       grpc::AuthContext* context,
                       OutputMetadata* /*consumed*/,
                       OutputMetadata* /*response*/) override {
    const auto path = metadata.find(":path");
    const std::string_view method =
        path == metadata.end() ? std::string_view() : View(path->second);
    const std::optional<access::Identity> caller = authenticator_->Find(*context, metadata);
    if (!caller.has_value()) {
      if (access_.asks_itself != nullptr && access_.asks_itself(method)) return grpc::Status::OK;
      return Refuse(grpc::StatusCode::UNAUTHENTICATED,
                    fmt::format("{} wants to know who calls: a certificate with a role{}",
                                method,
                                authenticator_->TakesTokens() ? ", or a token" : ""));
    }
    const access::Role needed =
        access_.role_needed == nullptr ? access::Role::kRead : access_.role_needed(method);
    if (!method.empty() && caller->role >= needed) return grpc::Status::OK;
    return Refuse(grpc::StatusCode::PERMISSION_DENIED,
                  fmt::format("{} has the role {}, and {} needs {}",
                              caller->name,
                              access::RoleName(caller->role),
                              method,
                              access::RoleName(needed)));
  }

 private:
  static grpc::Status Refuse(grpc::StatusCode code, const std::string& why) {
    log::Get("rpc")->warn("call_refused why={}", log::Quoted(why));
    return {code, why};
  }

  const ServerAccess access_;
  const std::shared_ptr<const Authenticator> authenticator_;  // shared with the service
};

}  // namespace

std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(const std::string& tls_dir) {
  KeepLibrary();
  if (tls_dir.empty()) return grpc::InsecureChannelCredentials();
  grpc::experimental::TlsChannelCredentialsOptions options;
  if (tls::HasCertificate(tls_dir)) {
    options.set_certificate_provider(WatchFiles(tls_dir));
    options.watch_identity_key_cert_pairs();
  } else {
    options.set_certificate_provider(std::make_shared<FileWatcherCertificateProvider>(
        tls::AuthorityFile(tls_dir), kReadAgainSeconds));
  }
  options.watch_root_certs();
  return grpc::experimental::TlsCredentials(options);
}

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const std::string& tls_dir,
                                                               const ServerAccess& access) {
  KeepLibrary();
  if (tls_dir.empty()) return grpc::InsecureServerCredentials();
  grpc::experimental::TlsServerCredentialsOptions options(WatchFiles(tls_dir));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  const bool wants_certificate =
      access.asks_itself == nullptr &&
      (access.authenticator == nullptr || !access.authenticator->TakesTokens());
  options.set_cert_request_type(wants_certificate
                                    ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                    : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  std::shared_ptr<grpc::ServerCredentials> credentials =
      grpc::experimental::TlsServerCredentials(options);
  credentials->SetAuthMetadataProcessor(std::make_shared<RoleCheck>(access));
  return credentials;
}

}  // namespace slipstream::rpc
