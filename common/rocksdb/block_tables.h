#pragma once

#include <memory>

namespace rocksdb {
class Cache;
class TableFactory;
}  // namespace rocksdb

namespace slipstream {

// How the files of a RocksDB lie whose keys are looked up one by one, those that are not there too,
// in a cache that may be much smaller than they are.
std::shared_ptr<rocksdb::TableFactory> MakeBlockTables(std::shared_ptr<rocksdb::Cache> cache);

}  // namespace slipstream
