#pragma once

#include <cstdint>
#include <filesystem>

#include "common/fs/file_system.h"
#include "common/status/status.h"
#include "dfs-master/rocksdb_store.h"
#include "dfs-master/types.h"

// Copies of a master's store, made while it runs, and what becomes of them after a loss.
//
// A copy is a directory: the file BACKUP, which is written last and says what the copy is, and
// meta/, a RocksDB as in a data directory. docs/FORMATS.md has BACKUP's bytes.

namespace slipstream::dfs::master {

// Copies the store as it is now; `directory` is absolute, new or empty. Takes no lock: requests go
// on. On the store's own file system most of it are hard links, elsewhere it is copied. A copy that
// failed half-way has no BACKUP.
// Errors: kInvalidArgument (not absolute), kFailedPrecondition (not empty), kUnavailable and
// kResourceExhausted (disk).
Result<BackupInfo> MakeBackup(RocksDbStore& store,
                              const std::filesystem::path& directory,
                              FileSystem& fs,
                              int64_t now_ms);

// Makes a data directory of a copy, which stays as it is: checks that the copy is whole, copies it,
// and marks it as restored (restore_gate.h). `data_dir` is new or empty. Killed half-way it leaves
// a directory that no master opens (CheckRestoreIsWhole).
// Errors: kNotFound (no copy), kDataLoss (a damaged one), kFailedPrecondition (`data_dir` is not
// empty), kUnavailable and kResourceExhausted (disk).
Result<BackupInfo> RestoreBackup(const std::filesystem::path& from,
                                 const std::filesystem::path& data_dir,
                                 FileSystem& fs,
                                 int64_t now_ms);

// kFailedPrecondition where RestoreBackup into this data directory did not end.
Status CheckRestoreIsWhole(const std::filesystem::path& data_dir);

}  // namespace slipstream::dfs::master
