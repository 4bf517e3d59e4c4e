#include "common/rocksdb/block_tables.h"

#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

namespace slipstream {

std::shared_ptr<rocksdb::TableFactory> MakeBlockTables(std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = std::move(cache);
  // Says of a key that is not there that it is not, without a read.
  blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // Indexes and filters are in the cache, so that its size bounds them; in parts, so that a lookup
  // wants a few kilobytes of them and not those of a whole file, which a small cache cannot hold.
  blocks.cache_index_and_filter_blocks = true;
  blocks.cache_index_and_filter_blocks_with_high_priority = true;
  blocks.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  blocks.partition_filters = true;
  blocks.pin_top_level_index_and_filter = true;
  blocks.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  blocks.format_version = 5;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(blocks));
}

}  // namespace slipstream
