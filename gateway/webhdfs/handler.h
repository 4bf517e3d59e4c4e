#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "gateway/http/message.h"
#include "gateway/user_clients.h"
#include "gateway/webhdfs/call.h"
#include "gateway/webhdfs/remote_exception.h"

namespace slipstream::gateway::webhdfs {

// Handler: WebHDFS below /webhdfs/v1.
//
// Trust       whoever reaches it is believed to be who he says he is, as in Hadoop without
//             Kerberos. What a page of another site makes a browser send is refused.
// Threads     thread-safe.
// Ownership   borrows the clients.
class Handler final : public http::Handler {
 public:
  // `address`: HOST:PORT, for clients that do not say by which name they came; `static_user`: in
  // whose name those act who do not say who they are, as Hadoop's hadoop.http.staticuser.user.
  Handler(UserClients& clients, std::string address, std::string static_user)
      : clients_(clients), address_(std::move(address)), static_user_(std::move(static_user)) {}

  static bool Serves(const http::Request& request);

  http::Answer Handle(const http::Request& request) override;
  http::Response Overloaded(const http::Request& request) override;
  std::string_view OperationOf(const http::Request& request) const override;

 private:
  Outcome Run(const http::Request& request, std::string& path);

  UserClients& clients_;
  const std::string address_;
  const std::string static_user_;
};

// Whether a browser sent it in the name of a page that is not ours. Such a page cannot read the
// answer, but what it asks for would be done.
bool IsCrossSite(const http::Request& request);

}  // namespace slipstream::gateway::webhdfs
