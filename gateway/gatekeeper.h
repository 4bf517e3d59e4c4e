#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/access/token_file.h"
#include "gateway/http/message.h"

namespace slipstream::gateway {

// Gatekeeper: lets requests with a token through to another handler, and answers the others: 401
// where there is none that we know, 403 where its role is not enough.
//
// Token       `Authorization: Bearer TOKEN`, or as the password of `Basic`, with any user: so that
//             browsers ask for it, and clients that know names and passwords only can send it.
// Roles       read for GET and HEAD, write for everything else, admin for SETQUOTA.
// Names       whoever has a token is its name: user.name and doas are replaced by it.
//             Those with the role admin act for others, as they say.
// Threads     thread-safe, as the handler behind it is. Ownership: borrows both.
class Gatekeeper final : public http::Handler {
 public:
  Gatekeeper(access::TokenFile& tokens, http::Handler& inside) : tokens_(tokens), inside_(inside) {}

  http::Answer Handle(const http::Request& request) override;
  http::Response Overloaded(const http::Request& request) override {
    return inside_.Overloaded(request);
  }
  std::string_view OperationOf(const http::Request& request) const override {
    return inside_.OperationOf(request);
  }

 private:
  access::TokenFile& tokens_;
  http::Handler& inside_;
};

// The token in the value of an Authorization header; nothing where there is none.
std::optional<std::string> TokenOf(std::string_view authorization);

}  // namespace slipstream::gateway
