#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status/status.h"

namespace slipstream {

// HOST:PORT as it stands in flags and in addresses given to others. An IPv6 host is written in
// brackets: [::1]:7400. Names are not resolved here.
struct HostPort {
  std::string host;  // without brackets
  uint16_t port = 0;

  std::string ToString() const;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// Errors: kInvalidArgument, saying what is expected.
Result<HostPort> ParseHostPort(std::string_view text);

// Whether only this machine can reach it: 127.0.0.0/8, ::1, localhost.
bool IsLoopback(std::string_view host);

// Nothing here is encrypted or asks who is calling, so a server listens beyond loopback only when
// told that this is wanted. Errors: kInvalidArgument naming --insecure.
Status CheckListenAddress(std::string_view flag, const HostPort& listen, bool is_insecure_allowed);

}  // namespace slipstream
