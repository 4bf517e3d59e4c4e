#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/fs/file_system.h"
#include "common/status/status.h"

namespace slipstream::datanode {

// DataDir: a directory of a datanode, one for each of its disks: whoever holds its lock is the node
// of its node id.
//
// Layout      LOCK, node_id and small numbers; docs/FORMATS.md, "A datanode's directory".
// Ownership   holds the lock as long as it exists; borrows the file system.
// Threads     thread-safe for different numbers, after Adopt().
class DataDir final {
 public:
  // Makes the directory if need be. kFailedPrecondition if another process runs on it, kDataLoss
  // if its node id is damaged.
  static Result<std::unique_ptr<DataDir>> Open(const std::string& path, FileSystem& fs);

  const std::string& path() const { return path_; }
  // Empty: it belongs to no node yet.
  const std::string& node_id() const { return node_id_; }
  // Makes a directory without one a node's, durably.
  Status Adopt(const std::string& node_id);
  // Whether what is there under its path now is this directory still.
  Status CheckNodeId() const;

  // A number kept under a file name; 0 if there is none, or if it cannot be read.
  uint64_t LoadNumber(const std::string& name) const;
  Status SaveNumber(const std::string& name, uint64_t number);

 private:
  DataDir(std::string path, FileSystem& fs);

  // Of numbers that were being saved when a process died.
  Status RemoveTemporaryFiles();
  Result<std::string> ReadNodeId() const;

  const std::string path_;
  FileSystem& fs_;
  std::unique_ptr<FileLock> lock_;
  std::string node_id_;
};

}  // namespace slipstream::datanode
