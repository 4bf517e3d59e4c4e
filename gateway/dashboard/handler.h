#pragma once

#include "gateway/http/message.h"

namespace slipstream::gateway::dashboard {

// Handler: the dashboard's files: the page at "/", the others below "/ui/". They ask /api/v1 and
// /webhdfs/v1 for everything else, and nothing of any other server: the Content-Security-Policy
// sent along does not let them.
// Threads  thread-safe.
class Handler final : public http::Handler {
 public:
  static bool Serves(const http::Request& request);

  http::Answer Handle(const http::Request& request) override;
  http::Response Overloaded(const http::Request& request) override;
};

}  // namespace slipstream::gateway::dashboard
