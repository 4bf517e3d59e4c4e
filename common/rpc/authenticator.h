#pragma once

#include <map>
#include <memory>
#include <optional>

#include "common/access/identity.h"

namespace grpc {
class AuthContext;
class ServerContextBase;
class string_ref;
}  // namespace grpc

namespace slipstream::access {
class TokenFile;
}

namespace slipstream::rpc {

// Authenticator: who a call over TLS is from: the certificate of its connection says so, its common
// name and the role of its organisational unit; without one the token that it brings, as
// "authorization: Bearer TOKEN".
// Threads: thread-safe.
class Authenticator final {
 public:
  using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

  // Null: tokens are not taken.
  explicit Authenticator(std::shared_ptr<access::TokenFile> tokens) : tokens_(std::move(tokens)) {}

  bool TakesTokens() const { return tokens_ != nullptr; }

  // Nothing: nobody known.
  std::optional<access::Identity> Find(const grpc::AuthContext& context,
                                       const Metadata& metadata) const;
  // In a handler.
  std::optional<access::Identity> Find(const grpc::ServerContextBase& context) const;

 private:
  const std::shared_ptr<access::TokenFile> tokens_;  // shared with its other users
};

}  // namespace slipstream::rpc
