#include "common/rpc/credentials.h"

#include <optional>
#include <utility>

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

// The value of a property that stands there once; empty where it does not.
std::string_view OnlyValue(const grpc::AuthContext& context, const char* property) {
  const std::vector<grpc::string_ref> values = context.FindPropertyValues(property);
  return values.size() == 1 ? View(values.front()) : std::string_view();
}

// RoleCheck: asks every call for the role it needs, before its handler runs.
// Threads: thread-safe; runs on gRPC's threads and does not block.
class RoleCheck final : public grpc::AuthMetadataProcessor {
 public:
  explicit RoleCheck(RoleNeeded role_needed) : role_needed_(role_needed) {}

  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata,
                       grpc::AuthContext* context,
                       OutputMetadata* /*consumed*/,
                       OutputMetadata* /*response*/) override {
    const auto path = metadata.find(":path");
    const std::string_view method =
        path == metadata.end() ? std::string_view() : View(path->second);
    const std::string_view subject = OnlyValue(*context, GRPC_X509_SUBJECT_PROPERTY_NAME);
    const std::optional<access::Role> role = access::RoleOfSubject(subject);
    const access::Role needed =
        role_needed_ == nullptr ? access::Role::kRead : role_needed_(method);
    if (!method.empty() && role.has_value() && *role >= needed) return grpc::Status::OK;
    std::string why("the certificate of ");
    why.append(OnlyValue(*context, GRPC_X509_CN_PROPERTY_NAME))
        .append(" has ")
        .append(role.has_value() ? "the role " + std::string(access::RoleName(*role)) : "no role")
        .append(", and ")
        .append(method)
        .append(" needs ")
        .append(access::RoleName(needed));
    log::Get("rpc")->warn("call_refused why={}", log::Quoted(why));
    return {grpc::StatusCode::PERMISSION_DENIED, why};
  }

 private:
  const RoleNeeded role_needed_;
};

}  // namespace

std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(const std::string& tls_dir) {
  KeepLibrary();
  if (tls_dir.empty()) return grpc::InsecureChannelCredentials();
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(WatchFiles(tls_dir));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const std::string& tls_dir,
                                                               RoleNeeded role_needed) {
  KeepLibrary();
  if (tls_dir.empty()) return grpc::InsecureServerCredentials();
  grpc::experimental::TlsServerCredentialsOptions options(WatchFiles(tls_dir));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  std::shared_ptr<grpc::ServerCredentials> credentials =
      grpc::experimental::TlsServerCredentials(options);
  credentials->SetAuthMetadataProcessor(std::make_shared<RoleCheck>(role_needed));
  return credentials;
}

}  // namespace slipstream::rpc
