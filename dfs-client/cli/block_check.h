#pragma once

#include <string>

#include "dfs-client/cluster_types.h"

namespace slipstream::dfs::cli {

class Session;

// `fsck -blockId "blk_1 blk_2"`: to which file each block belongs, and how its replicas are, in
// HDFS's words. Goes through all files, a page at a time, until it has found the block: the master
// keeps no table of them. The exit code is that of the last replica of the last block: 0 healthy or
// no such block, 1 corrupt, 2 decommissioned, 3 being decommissioned, 4 in maintenance, 6 its node
// silent; 255 where it could not be found out.
void CheckBlocks(Session& session, const std::string& block_names);

// "blk_42", for people.
std::string BlockName(const Block& block);

// "[/rack1/10.0.0.1:7410(LIVE), …]": who has a block, by rack and address, or as HDFS's own
// DatanodeInfoWithStorage; and in which state.
struct ReplicaText {
  bool shows_racks = false;
  bool shows_states = false;
};
std::string FormatReplicas(const CheckedBlock& block, const ReplicaText& text);

}  // namespace slipstream::dfs::cli
