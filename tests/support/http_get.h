#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/status/status.h"

namespace slipstream::test_support {

struct HttpAnswer {
  int code = 0;
  std::string body;
};

// GET http://`address``target` where `address` is the HOST:PORT (numeric IPv4) of an admin port and
// `target` begins with a slash. Any code of HTTP is an answer; kUnavailable if nobody listens or
// the connection breaks, kDeadlineExceeded if a read or write takes longer than `timeout`,
// kDataLoss if it is not HTTP.
Result<HttpAnswer> HttpGet(const std::string& address,
                           std::string_view target,
                           std::chrono::seconds timeout = std::chrono::seconds(10));

}  // namespace slipstream::test_support
