#pragma once

#include "proto/dfs_master.pb.h"

#include "common/status/status.h"
#include "dfs-master/master.h"

// Between the messages of proto/dfs_master.proto and the master's own types. What does not fit is
// kInvalidArgument; whether it makes sense is for the master to say.

namespace slipstream::dfs::master {

Result<Block> FromProto(const v1::Block& block);
EpochPair FromProto(const v1::EpochPair& pair);
Result<std::vector<EpochAppend>> FromProto(const v1::PrepareRequest& request);
std::vector<EpochCommit> FromProto(const v1::CommitRequest& request);
Result<std::vector<ReplicaChange>> FromProto(const v1::HeartbeatRequest& request);

void ToProto(const FileStatus& status, v1::FileStatus& out);
void ToProto(const LocatedRange& range, v1::LocateBlocksResponse& out);
void ToProto(const BlockAllocation& allocation, v1::AllocateBlocksResponse& out);
void ToProto(const AcquireResult& result, v1::AcquireAppenderResponse& out);
void ToProto(const PrepareResult& result, v1::PrepareResponse& out);
void ToProto(const std::vector<AppenderStatus>& appenders, v1::ListAppendersResponse& out);
void ToProto(const HeartbeatAnswer& answer, v1::HeartbeatResponse& out);
void ToProto(const CheckPage& page, v1::CheckFilesResponse& out);
void ToProto(const BalanceStatus& status, v1::BalanceStatus& out);
void ToProto(const RestoreStatus& status, v1::RestoreResponse& out);
void ToProto(const ClusterState& state, v1::GetClusterStateResponse& out);

}  // namespace slipstream::dfs::master
