#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "common/block/encoded_block.h"
#include "common/clock/clock.h"
#include "common/clock/sleep.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-client/file_types.h"
#include "dfs-client/master_client.h"
#include "dfs-client/node_client.h"

namespace slipstream::dfs {

class Notices;
class SuspectNodes;
class WorkerPool;

// BlockWriter: makes encoded blocks durable on as many datanodes as the master asks for.
//
// Blocks go in batches: one allocation, one chain of datanodes, one stream, so that a worker's many
// small blocks cost one round trip and large ones spread over the cluster. An attempt counts only
// if the whole chain acknowledged all of it; after any failure the batch is sent again, whole,
// under new ids, elsewhere. What an attempt left behind is the master's to collect.
//
// Who writes one small block after another is given ids for some of them ahead, twice as many each
// time they are used up, and saves a call for each. They are good for a second, so that blocks go
// on spreading over the nodes, and none is used twice.
//
// Ownership  borrows everything; all must outlive it.
// Threads    thread-safe.
// Blocking   up to Options::timeout, with notices of what is waited for.
// Errors     kUnavailable: still no success at the deadline. kCancelled: stopped. kDataLoss: the
//            data arrived damaged again and again. Others as the master or a datanode gave them.
class BlockWriter final {
 public:
  struct Options {
    std::chrono::milliseconds timeout;
    uint64_t seed = 0;  // of the jitter; 0: a random one
    std::stop_token stop;
    const Clock* clock = &SystemClock::Get();
    Sleeper* sleeper = &SystemSleeper::Get();
  };

  // A batch is closed once it holds this many compressed bytes, or this many blocks.
  static constexpr uint64_t kBatchBytesMin = 8ULL << 20;
  static constexpr size_t kBatchBlocksMax = 4096;

  static constexpr uint64_t kSmallBytesMax = 64ULL << 10;        // compressed, of a small block
  static constexpr uint32_t kAheadMax = 15;                      // ids asked for ahead at once
  static constexpr std::chrono::milliseconds kAheadTime{1'000};  // for which they are good
  static constexpr size_t kSparesMax = 16;                       // sets of them that are kept

  BlockWriter(Options options,
              MasterClient& master,
              NodeClient& nodes,
              SuspectNodes& suspects,
              WorkerPool& pool,
              Notices& notices);

  Result<std::vector<DurableBlock>> Write(const std::string& writer,
                                          std::span<const block::EncodedBlock* const> blocks);

 private:
  using Batch = std::span<const block::EncodedBlock* const>;

  Status WriteBatch(const std::string& writer, Batch batch, std::span<DurableBlock> durable);
  // On nodes that did not fail lately; where there are too few, also on those that failed first.
  Result<MasterClient::Allocation> Allocate(MasterClient::AllocationRequest request);
  // One of the ids asked for before and not used, or a few at once.
  Result<MasterClient::Allocation> AllocateSmall(MasterClient::AllocationRequest request);
  std::optional<MasterClient::Allocation> TakeSpare(std::span<const std::string> suspects,
                                                    SteadyTime now);
  // One allocation and one stream. kUnavailable: worth another attempt.
  Status Attempt(const std::string& writer, Batch batch, std::span<DurableBlock> durable);
  void Blame(std::span<const NodeAddress> chain, const Status& status);

  const Options options_;
  MasterClient& master_;
  NodeClient& nodes_;
  SuspectNodes& suspects_;
  WorkerPool& pool_;
  Notices& notices_;

  // Ids that were allocated ahead, for the same chain.
  struct Spare {
    MasterClient::Allocation allocation;  // the next of them
    uint32_t left = 0;                    // > 0
    SteadyTime use_before;
  };
  Mutex mutex_;
  std::vector<Spare> spares_ GUARDED_BY(mutex_);  // those of several callers, the newest last
  SteadyTime many_until_ GUARDED_BY(mutex_);      // a small block before then is one of many
  uint32_t ahead_ GUARDED_BY(mutex_) = 0;  // how many to ask for beside the one that is needed
};

// Cuts `blocks` where the rules above say; consecutive, none empty. In a header for its test.
std::vector<std::span<const block::EncodedBlock* const>> CutBatches(
    std::span<const block::EncodedBlock* const> blocks);

// Which nodes of `chain` to avoid after `status`: the one that its message names, or the first.
// After a timeout nobody is named and any may be the slow one: all.
std::vector<std::string> NodesToBlame(std::span<const NodeAddress> chain, const Status& status);

}  // namespace slipstream::dfs
