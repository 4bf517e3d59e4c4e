#include "common/rpc/authenticator.h"

#include <string_view>
#include <vector>

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/string_ref.h>

#include "common/access/token_file.h"
#include "common/rpc/transport.h"

namespace slipstream::rpc {
namespace {

std::string_view View(const grpc::string_ref& text) {
  return {text.data(), text.size()};
}

// The value of a property that stands there once; empty where it does not.
std::string_view OnlyValue(const grpc::AuthContext& context, const char* property) {
  const std::vector<grpc::string_ref> values = context.FindPropertyValues(property);
  return values.size() == 1 ? View(values.front()) : std::string_view();
}

}  // namespace

std::optional<access::Identity> Authenticator::Find(const grpc::AuthContext& context,
                                                    const Metadata& metadata) const {
  const std::string_view subject = OnlyValue(context, GRPC_X509_SUBJECT_PROPERTY_NAME);
  if (!subject.empty()) {
    const std::optional<access::Role> role = access::RoleOfSubject(subject);
    if (!role.has_value()) return std::nullopt;
    return access::Identity{.name = std::string(OnlyValue(context, GRPC_X509_CN_PROPERTY_NAME)),
                            .role = *role};
  }
  if (tokens_ == nullptr) return std::nullopt;
  const auto found = metadata.find(kAuthorizationMetadata);
  if (found == metadata.end()) return std::nullopt;
  std::string_view token = View(found->second);
  if (!token.starts_with(kBearerScheme)) return std::nullopt;
  token.remove_prefix(kBearerScheme.size());
  return tokens_->Find(token);
}

std::optional<access::Identity> Authenticator::Find(const grpc::ServerContextBase& context) const {
  const std::shared_ptr<const grpc::AuthContext> connection = context.auth_context();
  if (connection == nullptr) return std::nullopt;
  return Find(*connection, context.client_metadata());
}

}  // namespace slipstream::rpc
