#pragma once

#include <memory>

namespace rocksdb {
class Logger;
}

namespace slipstream::dfs::master {

// What RocksDB says about itself, from warnings on, as lines of the daemon's own log. Why not in
// RocksDB's file beside the data: it would be written on a full disk, too, where the failure of it
// trips one of RocksDB's assertions.
std::shared_ptr<rocksdb::Logger> MakeRocksDbLog();

}  // namespace slipstream::dfs::master
