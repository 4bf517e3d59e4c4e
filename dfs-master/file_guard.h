#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "common/status/status.h"

namespace rocksdb {
class FileSystem;
}

namespace slipstream::dfs::master {

// What RocksDB writes its files through: `target`, but that whoever fails to write or sync a file
// in `directory` (not a copy of one elsewhere) tells `on_failure` before RocksDB hears of it.
//
// Why: Debian's RocksDB is built with its assertions, and one of them is that a file which could
// not be written is not touched again. Other threads may be about to sync the log just then, and
// the process would be aborted without a word. A daemon whose on_failure does not return ends with
// the reason. `on_failure` is called on any thread, and once for each failure.
std::shared_ptr<rocksdb::FileSystem> GuardFiles(std::shared_ptr<rocksdb::FileSystem> target,
                                                std::filesystem::path directory,
                                                std::function<void(const Status&)> on_failure);

}  // namespace slipstream::dfs::master
