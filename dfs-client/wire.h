#pragma once

#include <string>

#include "proto/dfs_datanode.pb.h"
#include "proto/dfs_master.pb.h"
#include "proto/dfs_types.pb.h"

#include "common/status/status.h"
#include "dfs-client/cluster_types.h"
#include "dfs-client/file_types.h"

// Between the plain types and those on the wire. Private to the library: the one place that knows
// both.

namespace slipstream::dfs::wire {

FileStatus ToFileStatus(const v1::FileStatus& in);
// An answer about `path`.
Result<FileStatus> ToStatResult(const v1::StatBatchResponse::Entry& in, const std::string& path);
Block ToBlock(const v1::Block& in);
void FromBlock(const Block& in, v1::Block* out);
NodeAddress ToNodeAddress(const v1::NodeAddress& in);
LocatedBlock ToLocatedBlock(const v1::LocatedBlock& in);
FileBlocks ToFileBlocks(const v1::LocateBlocksResponse& in);
EpochPair ToEpochPair(const v1::EpochPair& in);
AppenderReport ToAppenderReport(const v1::ListAppendersResponse::Appender& in);
ClusterState ToClusterState(const v1::GetClusterStateResponse& in);
BalanceStatus ToBalanceStatus(const v1::BalanceStatus& in);
FileCheckPage ToFileCheckPage(const v1::CheckFilesResponse& in);
RestoreReport ToRestoreReport(const v1::RestoreResponse& in);
v1::NodeService FromNodeService(NodeService in);
v1::BalanceRequest::Action FromBalanceAction(BalanceAction in);

// What is the same for all files this client makes.
struct NewFile {
  std::string owner;
  std::string group;
};
void FromEpoch(const AppenderEpoch& in, const NewFile& new_file, v1::AppenderEpoch* out);

}  // namespace slipstream::dfs::wire
