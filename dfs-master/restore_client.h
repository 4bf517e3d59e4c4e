#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/restore_gate.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// A master to call.
struct MasterAddress {
  std::string address = "127.0.0.1:7400";  // HOST:PORT
  std::string tls_dir;                     // empty: no TLS
};

// What the command line asks of a running master about copies of its store. Each makes one call and
// blocks for it. Errors: the master's; kUnavailable where it is not there.

Result<BackupInfo> AskForBackup(const MasterAddress& master, const std::string& directory);

enum class RestoreWord : uint8_t { kStatus, kWithoutMissingNodes, kForgetUnknown };
Result<RestoreStatus> TellRestored(const MasterAddress& master, RestoreWord word);

}  // namespace slipstream::dfs::master
