#pragma once

#include "gateway/http/message.h"

namespace slipstream::gateway {

// Router: who answers a request, by its path.
// Ownership  borrows the handlers. Threads: thread-safe, as they are.
class Router final : public http::Handler {
 public:
  Router(http::Handler& webhdfs, http::Handler& api) : webhdfs_(webhdfs), api_(api) {}

  http::Answer Handle(const http::Request& request) override;
  http::Response Overloaded(const http::Request& request) override;

 private:
  http::Handler& webhdfs_;
  http::Handler& api_;
};

}  // namespace slipstream::gateway
