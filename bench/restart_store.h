#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/status/status.h"
#include "dfs-master/types.h"

namespace slipstream::bench {

// The store of a master with very many files of one block each, /d17/s4/f000512: a hundred folders,
// ten in each. Every block is on the nodes kRestartNodes.
constexpr const char* kRestartNodes[] = {"bench-1", "bench-2"};

// What a block is; file number n has block n + 1.
dfs::master::Block RestartBlock(dfs::master::BlockId id);
std::string RestartPath(uint64_t file, uint64_t files);

// Makes it in an empty data directory: the small tables by a master's own requests, the large ones
// as sorted files that RocksDB takes in as they are.
Status MakeRestartStore(const std::filesystem::path& data_dir, uint64_t files);

}  // namespace slipstream::bench
