#pragma once

#include <cstddef>
#include <map>
#include <utility>

#include "tests/unit/dfs_datanode/replica_fixture.h"

namespace slipstream::fuzz {

// As datanode::MakeBlock, made once for all inputs: to compress costs more than all else that a
// target does with a block. For few different blocks; never forgotten.
inline const datanode::TestBlock& CachedBlock(block::BlockId block_id, size_t raw_bytes) {
  static auto* const blocks = new std::map<std::pair<block::BlockId, size_t>, datanode::TestBlock>;
  const auto [place, is_new] = blocks->try_emplace({block_id, raw_bytes});
  if (is_new) place->second = datanode::MakeBlock(block_id, raw_bytes);
  return place->second;
}

}  // namespace slipstream::fuzz
