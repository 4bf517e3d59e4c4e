#pragma once

#include <cstddef>
#include <memory>

namespace rocksdb {
class Cache;
struct ColumnFamilyOptions;
}  // namespace rocksdb

// How the master's tables lie in RocksDB: for the store, and for tools that make such tables.

namespace slipstream::dfs::master {

rocksdb::ColumnFamilyOptions MakeTableOptions(size_t write_buffer_bytes,
                                              const std::shared_ptr<rocksdb::Cache>& cache);

}  // namespace slipstream::dfs::master
