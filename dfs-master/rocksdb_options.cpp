#include "dfs-master/rocksdb_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

namespace slipstream::dfs::master {

rocksdb::ColumnFamilyOptions MakeTableOptions(size_t write_buffer_bytes,
                                              const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = cache;
  blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // Indexes and filters are in the cache, so that its size bounds them; in parts, so that a lookup
  // wants a few kilobytes of them and not those of a whole file.
  blocks.cache_index_and_filter_blocks = true;
  blocks.cache_index_and_filter_blocks_with_high_priority = true;
  blocks.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  blocks.partition_filters = true;
  blocks.pin_top_level_index_and_filter = true;
  blocks.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  blocks.format_version = 5;
  rocksdb::ColumnFamilyOptions result;
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  result.write_buffer_size = write_buffer_bytes;
  result.compression = rocksdb::kZSTD;
  // Whoever creates a name looks first whether it is there: what was written last says no at once.
  result.memtable_prefix_bloom_size_ratio = 0.05;
  result.memtable_whole_key_filtering = true;
  return result;
}

}  // namespace slipstream::dfs::master
