#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/block/block.h"
#include "common/clock/clock.h"
#include "common/status/status.h"
#include "dfs-datanode/block_receiver.h"

namespace slipstream::dfs::v1 {
class Block;
class ChecksumBlockRequest;
class ChecksumBlockResponse;
class ReadBlockRequest;
class ReadBlockResponse;
class ReadRangeResponse;
}  // namespace slipstream::dfs::v1

namespace slipstream::datanode {

// ReplicaServer: what a datanode does for those who call it (proto/dfs_datanode.proto), whatever
// carries the calls.
//
// Ownership  borrows all it is given; they must outlive it, and it must outlive its receivers.
// Threads    thread-safe.
// Blocking   waits for the disk, and for whoever takes the frames.
class ReplicaServer final {
 public:
  // Take the next message of an answer; false when nobody wants more.
  using FrameSink = std::function<bool(const dfs::v1::ReadBlockResponse&, bool is_last)>;
  using ChecksumSink = std::function<bool(const dfs::v1::ChecksumBlockResponse&)>;

  explicit ReplicaServer(BlockReceiver::Node node) : node_(std::move(node)) {}

  // For one WriteBlocks stream.
  std::unique_ptr<BlockReceiver> NewReceiver(std::string writer, SteadyTime deadline) {
    return std::make_unique<BlockReceiver>(node_, std::move(writer), deadline);
  }

  // kCancelled when `send` took no more.
  Status Read(const dfs::v1::ReadBlockRequest& request, const FrameSink& send);
  Status ReadRange(const dfs::v1::ReadBlockRequest& request, dfs::v1::ReadRangeResponse& response);
  Status Checksum(const dfs::v1::ChecksumBlockRequest& request, const ChecksumSink& send);

 private:
  // Frames of a replica, each with where in the raw block it begins.
  using FrameVisitor =
      std::function<Status(const block::Frame&, uint64_t raw_offset, std::string& stored)>;

  Status CheckMayRead(const dfs::v1::Block& block, std::string_view token) const;
  Status VisitFrames(const block::Identity& wanted,
                     uint64_t offset,
                     uint64_t length,
                     const FrameVisitor& visit);
  Status Judge(block::BlockId block_id, const Status& status);

  const BlockReceiver::Node node_;
};

}  // namespace slipstream::datanode
