#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/status/status.h"
#include "processor/batch/file_systems.h"

namespace slipstream::processor {

// SavepointFile: a new file for a savepoint, in the distributed file system ("dfs:///…",
// "dfs://HOST:PORT/…") or on this machine ("file:///…" or "/…"). It has its name, and all its bytes
// durably, once Close has returned OK; one that is destroyed before leaves nothing.
// Errors   kAlreadyExists, kInvalidArgument (a path), kUnavailable, kResourceExhausted.
// Threads  one at a time.
class SavepointFile {
 public:
  // Borrows the file systems.
  static Result<std::unique_ptr<SavepointFile>> Create(const std::string& path,
                                                       FileSystems& file_systems);
  virtual ~SavepointFile() = default;

  virtual Status Write(std::string_view bytes) = 0;
  virtual Status Close() = 0;
};

}  // namespace slipstream::processor
