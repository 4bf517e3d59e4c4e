#pragma once

#include "proto/dfs_datanode.pb.h"
#include "proto/dfs_types.pb.h"

#include "common/block/block.h"

// Between the wire's messages and ours. Nothing is checked here: block::Validate does that.

namespace slipstream::datanode {

dfs::v1::Block ToProto(const block::Identity& identity);
block::Identity FromProto(const dfs::v1::Block& message);

dfs::v1::Frame ToProto(const block::Frame& frame);
block::Frame FromProto(const dfs::v1::Frame& message);

dfs::v1::WriteBlocksRequest::BlockHeader ToProto(const block::BlockMeta& meta);
// Takes at most one frame more than a block may have: enough for Validate to refuse it.
block::BlockMeta FromProto(const dfs::v1::WriteBlocksRequest::BlockHeader& message);

}  // namespace slipstream::datanode
