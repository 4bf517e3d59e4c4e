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

// Whether a server that listens there takes connections to each address of its machine: 0.0.0.0,
// ::.
bool IsEveryAddress(std::string_view host);

// What others are told of a server's address: `host` in place of every address.
HostPort ReachedAt(HostPort listen, const std::string& host);

// What this machine calls itself.
Result<std::string> OwnHostName();

// What stands between a server and whoever reaches its port.
enum class Guard {
  kNone,       // nothing is encrypted, nobody is asked who is calling
  kMeantNone,  // the same, and the user said that it is meant
  kTls,        // callers prove themselves over TLS
};
// The guard of a server whose --tls-dir and --insecure are these.
Guard GuardOf(const std::string& tls_dir, bool is_insecure);

// A server listens beyond loopback only behind a guard, or when told that none is wanted.
// Errors: kInvalidArgument naming --tls-dir and --insecure.
Status CheckListenAddress(std::string_view flag, const HostPort& listen, Guard guard);

}  // namespace slipstream
