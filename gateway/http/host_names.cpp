#include "gateway/http/host_names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

namespace slipstream::gateway::http {
namespace {

std::string ToLower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// Without port, brackets and the dot behind a whole name; "" where it is malformed.
std::string_view NameOf(std::string_view host) {
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    return end == std::string_view::npos ? std::string_view() : host.substr(1, end - 1);
  }
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

bool IsAddress(const std::string& name) {
  in6_addr ignored{};
  return inet_pton(AF_INET, name.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, name.c_str(), &ignored) == 1;
}

}  // namespace

HostNames::HostNames(std::vector<std::string> names) : names_(std::move(names)) {
  for (std::string& name : names_)
    name = ToLower(NameOf(name));
}

bool HostNames::Accepts(std::string_view host) const {
  if (host.empty()) return true;
  const std::string name = ToLower(NameOf(host));
  if (name.empty()) return false;
  return name == "localhost" || name.ends_with(".localhost") || IsAddress(name) ||
         std::find(names_.begin(), names_.end(), name) != names_.end();
}

}  // namespace slipstream::gateway::http
