#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/block/encoded_block.h"
#include "common/status/status.h"
#include "dfs-client/file_types.h"

namespace slipstream::dfs {

// AppendStore: two-phase conditional appends, as the commit protocol needs them. Implemented by
// DfsClient over the network and, in tests, by a store in memory.
//
// Threads     thread-safe.
// Blocking    every call, up to its deadline; transient failures are retried inside.
// Durability  WriteBlocks: on min-replicas datanodes. The others: in the master's synced log.
// Errors      kUnavailable (master or too few datanodes, still so at the deadline), kAborted (a
//             stale incarnation, or a length that is not the expected one: acquire anew),
//             kFailedPrecondition, kNotFound, kInvalidArgument.
class AppendStore {
 public:
  virtual ~AppendStore() = default;
  // A new incarnation: older ones can prepare no more. What they prepared stays.
  virtual Result<AppenderState> AcquireAppender(const std::string& owner) = 0;

  // Makes `blocks` durable under new ids, in order. Retries under newer ids on other nodes.
  virtual Result<std::vector<DurableBlock>> WriteBlocks(
      const std::string& owner, std::span<const block::EncodedBlock* const> blocks) = 0;

  // All of `epochs` or none: a promise, so Commit cannot fail. `commit`: it is in the same write.
  virtual Result<std::vector<PreparedEpoch>> Prepare(std::span<const AppenderEpoch> epochs,
                                                     bool commit) = 0;

  // Idempotent. The inode ids of files that were deleted between prepare and commit.
  virtual Result<std::vector<uint64_t>> Commit(std::span<const AppenderCommit> commits) = 0;

  // Gives the owner up: its candidates are discarded (how many), its open files closed at what was
  // committed, its incarnation fenced. kNotFound if it was never acquired.
  virtual Result<uint32_t> AbortAppender(const std::string& owner) = 0;
};

}  // namespace slipstream::dfs
