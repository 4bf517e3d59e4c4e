#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/block/block.h"
#include "common/block/encoded_block.h"
#include "common/clock/clock.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-datanode/block_token_checker.h"
#include "dfs-datanode/peers.h"
#include "dfs-datanode/replica_server.h"
#include "dfs-datanode/replica_store.h"

namespace slipstream::datanode {

// What the master orders: one block of many small ones that follow one another in a file.
struct MergeOrder {
  struct Source {
    block::Identity identity;
    uint64_t length_bytes = 0;  // how much of its beginning belongs to the file
    std::vector<NodeAddress> holders;
  };
  std::vector<Source> sources;
  block::BlockId block_id = 0;    // of the new block
  std::vector<NodeAddress> next;  // the rest of the chain, behind this node
};

// What became of an order.
struct MergeOutcome {
  block::Identity block;
  std::vector<std::string> holder_node_ids;
  std::vector<block::BlockId> source_block_ids;
  std::string failure;  // why it could not be done; empty: it was
};

// BlockMerger: carries out the master's orders to merge small blocks, one at a time and slowly: it
// reads the sources here or from their holders, verifies them, encodes their bytes into full
// frames, and writes the new block here and along the chain as any writer would. The sources stay;
// what becomes of them is the master's to say.
//
// Memory     64 MiB and a little: the encoded block, and the source being read.
// Ownership  borrows all it is given; they must outlive it.
// Threads    Enqueue() is thread-safe; the rest from one thread at a time.
// Blocking   Step() waits for disk and network, for minutes at worst.
class BlockMerger final {
 public:
  static constexpr size_t kQueueMax = 100;
  static constexpr size_t kSourcesMax = 10'000;

  struct Options {
    uint64_t bytes_per_second = 16 << 20;  // of raw bytes, on average
    int level = 3;                         // zstd's
    std::chrono::milliseconds fetch_timeout{10'000};
    std::chrono::milliseconds write_timeout{60'000};
  };
  // Tells the master; kUnavailable: it is told again a little later. The value: whether the new
  // block has taken its sources' place.
  using Report = std::function<Result<bool>(const MergeOutcome&)>;

  BlockMerger(const Options& options,
              ReplicaStore& store,
              ReplicaServer& server,
              Peers& peers,
              const BlockTokenChecker& tokens,
              const Clock& clock)
      : options_(options),
        store_(store),
        server_(server),
        peers_(peers),
        tokens_(tokens),
        clock_(clock),
        compressor_(options.level) {}

  // Set both before any thread uses the merger.
  void SetReport(Report report) { report_ = std::move(report); }
  void SetOrderListener(std::function<void()> listener) { listener_ = std::move(listener); }

  // Dropped if that block is being made already, or if kQueueMax wait: the master orders again.
  void Enqueue(MergeOrder order);

  // Carries out one order, or reports one. Returns how long to wait before the next call.
  std::chrono::milliseconds Step(const std::stop_token& stop = {});

  // Carries out an order now.
  MergeOutcome Merge(const MergeOrder& order, const std::stop_token& stop = {});

 private:
  std::optional<MergeOrder> TakeOrder();
  std::chrono::milliseconds ReportOutcome();
  Result<block::EncodedBlock> Encode(const MergeOrder& order, const std::stop_token& stop);
  Status Fetch(const MergeOrder::Source& source, const std::stop_token& stop, std::string& raw);
  Status ReadHere(const block::Identity& identity, std::string& raw);
  Status ReadFrom(const NodeAddress& holder,
                  const block::Identity& identity,
                  const std::stop_token& stop,
                  std::string& raw);
  Result<std::vector<std::string>> Write(const MergeOrder& order,
                                         const block::EncodedBlock& encoded);

  const Options options_;
  ReplicaStore& store_;
  ReplicaServer& server_;
  Peers& peers_;
  const BlockTokenChecker& tokens_;
  const Clock& clock_;
  Report report_;
  std::function<void()> listener_;

  // Of whoever steps.
  block::FrameCompressor compressor_;
  std::optional<MergeOutcome> outcome_;  // that the master does not know yet
  int reports_failed_ = 0;
  SteadyTime next_merge_{};

  Mutex mutex_;
  std::deque<MergeOrder> queue_ GUARDED_BY(mutex_);
  block::BlockId merging_ GUARDED_BY(mutex_) = 0;  // 0: none
};

}  // namespace slipstream::datanode
