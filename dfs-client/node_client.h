#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "common/block/encoded_block.h"
#include "common/rpc/transport.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-client/file_types.h"

namespace slipstream::dfs {

// NodeClient: the datanodes' calls in plain types, one attempt each. Private to the library.
//
// Ownership  owns one connection for each address, kept for its lifetime; borrows the transport.
// Threads    thread-safe.
// Blocking   up to the call's timeout.
class NodeClient final {
 public:
  struct OutgoingBlock {
    Block block;
    const block::EncodedBlock* encoded = nullptr;
  };
  struct Range {
    uint64_t offset = 0;  // in the raw block
    uint64_t length = 0;  // > 0, inside the block
  };
  // What of a block is asked for, and the master's leave to.
  struct Wanted {
    Block block;
    Range range;
    std::string token;
  };

  // How a range is cut: the first piece may be shorter than the others, the last has what remains.
  struct Pieces {
    uint32_t first_bytes = 0;  // > 0
    uint32_t bytes = 0;        // > 0
  };

  NodeClient(rpc::Transport& transport, std::stop_token stop);

  NodeClient(const NodeClient&) = delete;
  NodeClient& operator=(const NodeClient&) = delete;

  // Sends `blocks`, which `grant` covers, to the first node of `chain`, which passes them on. OK
  // means that all of `chain` have all of them, durable.
  // Errors: as WriteBlocks of proto/dfs_datanode.proto.
  Status WriteBlocks(std::span<const NodeAddress> chain,
                     const WriteGrant& grant,
                     std::span<const OutgoingBlock> blocks,
                     std::chrono::milliseconds timeout);

  // The raw bytes of the range. Every frame's CRC32C, zstd's own checksum, and the lengths are
  // verified; of a whole block also the checksum the master gave. `stop` cancels.
  // Errors: as ReadBlock of proto/dfs_datanode.proto; kDataLoss also where this side found it.
  Result<std::string> ReadBlock(const NodeAddress& node,
                                const Wanted& wanted,
                                std::chrono::milliseconds timeout,
                                const std::stop_token& stop);

  // The CRC32Cs of the raw bytes of the range, one for each piece; the datanode computes them.
  // Errors: as ChecksumBlock of proto/dfs_datanode.proto.
  Result<std::vector<uint32_t>> ChecksumBlock(const NodeAddress& node,
                                              const Wanted& wanted,
                                              const Pieces& pieces,
                                              std::chrono::milliseconds timeout,
                                              const std::stop_token& stop);

 private:
  // The peer at `address`, given a moment to come back if its connection was lost.
  std::shared_ptr<rpc::Peer> PeerAt(const std::string& address);

  rpc::Transport& transport_;
  const std::stop_token stop_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<rpc::Peer>> peers_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::dfs
