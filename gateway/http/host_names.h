#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipstream::gateway::http {

// HostNames: the names by which a browser may ask for this server. A page of another site can let
// its own name point at this machine (DNS rebinding), and is then, to the browser, of one site with
// us; what gives it away is the name in the Host header.
//
// Accepted are addresses (which nobody's DNS gives out), localhost and what ends in .localhost, and
// the names given; without regard to case, port and a final dot. A request without Host is none of
// a browser's.
// Threads  immutable.
class HostNames final {
 public:
  explicit HostNames(std::vector<std::string> names);

  // `host`: the header's value, "" where there is none.
  bool Accepts(std::string_view host) const;

 private:
  std::vector<std::string> names_;  // lower case
};

}  // namespace slipstream::gateway::http
