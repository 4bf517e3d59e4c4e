#pragma once

#include <string>
#include <vector>

namespace slipstream::dfs::master {

// Caller: who asks the master for something, as far as owners, groups and modes are concerned
// (permissions.h). Without TLS the name is what the client says, as with HDFS's "simple"
// authentication.
struct Caller {
  std::string user;                 // empty: did not say
  std::vector<std::string> groups;  // that he is in, on the master's machine
  bool is_superuser = false;        // may do everything

  // The process itself.
  static const Caller& Process() {
    static const Caller process{.user = {}, .groups = {}, .is_superuser = true};
    return process;
  }
};

}  // namespace slipstream::dfs::master
