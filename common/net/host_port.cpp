#include "common/net/host_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <climits>

namespace slipstream {
namespace {

constexpr size_t kHostBytesMax = 253;

Status Malformed(std::string_view text) {
  return InvalidArgument("not HOST:PORT: '" + std::string(text.substr(0, kHostBytesMax)) +
                         "' (for example 127.0.0.1:7400 or [::1]:7400)");
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

}  // namespace

std::string HostPort::ToString() const {
  bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<HostPort> ParseHostPort(std::string_view text) {
  HostPort result;
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon > kHostBytesMax)
    return Malformed(text);
  std::string_view host = text.substr(0, colon);
  std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return Malformed(text);
    result.host = std::string(host.substr(1, host.size() - 2));
    in6_addr address{};
    if (inet_pton(AF_INET6, result.host.c_str(), &address) != 1) return Malformed(text);
  } else {
    for (char c : host) {
      if (!IsHostCharacter(c)) return Malformed(text);
    }
    result.host = std::string(host);
  }
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return Malformed(text);
  }
  return result;
}

bool IsLoopback(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  in_addr address{};
  if (inet_pton(AF_INET, std::string(host).c_str(), &address) != 1) return false;
  return (ntohl(address.s_addr) >> 24) == 127;
}

bool IsEveryAddress(std::string_view host) {
  return host == "0.0.0.0" || host == "::";
}

HostPort ReachedAt(HostPort listen, const std::string& host) {
  if (IsEveryAddress(listen.host)) listen.host = host;
  return listen;
}

Result<std::string> OwnHostName() {
  char name[HOST_NAME_MAX + 1] = {};
  if (gethostname(name, sizeof(name) - 1) != 0) return ErrnoStatus(errno, "gethostname");
  return std::string(name);
}

Guard GuardOf(const std::string& tls_dir, bool is_insecure) {
  if (!tls_dir.empty()) return Guard::kTls;
  return is_insecure ? Guard::kMeantNone : Guard::kNone;
}

Status CheckListenAddress(std::string_view flag, const HostPort& listen, Guard guard) {
  if (guard != Guard::kNone || IsLoopback(listen.host)) return {};
  return InvalidArgument(std::string(flag) + " " + listen.ToString() +
                         " can be reached from other machines, without encryption or login: add "
                         "--tls-dir DIR (`slipstream certs` makes one) or, if that is wanted, "
                         "--insecure");
}

}  // namespace slipstream
