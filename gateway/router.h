#pragma once

#include <string_view>

#include "gateway/http/host_names.h"
#include "gateway/http/message.h"

namespace slipstream::gateway {

// Router: who answers a request, by its path. A request by a name that is none of ours is refused
// (421), whatever it asks for.
// Ownership  borrows all of Parts. Threads: thread-safe, as the handlers are.
class Router final : public http::Handler {
 public:
  struct Parts {
    const http::HostNames& names;
    http::Handler& webhdfs;
    http::Handler& api;
    http::Handler& dashboard;
  };
  explicit Router(const Parts& parts) : parts_(parts) {}

  http::Answer Handle(const http::Request& request) override;
  http::Response Overloaded(const http::Request& request) override;
  std::string_view OperationOf(const http::Request& request) const override;

 private:
  const Parts parts_;
};

}  // namespace slipstream::gateway
