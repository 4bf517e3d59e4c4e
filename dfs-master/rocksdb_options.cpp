#include "dfs-master/rocksdb_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/options.h>

#include "common/rocksdb/block_tables.h"

namespace slipstream::dfs::master {

rocksdb::ColumnFamilyOptions MakeTableOptions(size_t write_buffer_bytes,
                                              const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions result;
  result.table_factory = MakeBlockTables(cache);
  result.write_buffer_size = write_buffer_bytes;
  result.compression = rocksdb::kZSTD;
  // Whoever creates a name looks first whether it is there: what was written last says no at once.
  result.memtable_prefix_bloom_size_ratio = 0.05;
  result.memtable_whole_key_filtering = true;
  return result;
}

}  // namespace slipstream::dfs::master
