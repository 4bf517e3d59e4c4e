#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/status/status.h"
#include "dfs-client/cluster_types.h"
#include "dfs-client/file_types.h"

namespace slipstream::dfs {

class MasterConnection;
class RandomIds;

// MasterClient: the master's calls in plain types. What they mean is in proto/dfs_master.proto.
// Private to the library.
//
// Ownership  borrows everything.
// Threads    thread-safe.
// Blocking   up to the connection's timeout; those marked "once" make a single attempt.
class MasterClient final {
 public:
  struct Options {
    std::string file_owner;  // of the files and directories it makes
    std::string file_group;
  };

  // What AllocateBlocks gave: ids first, first+1, …, all for the same chain.
  struct Allocation {
    uint64_t first_block_id = 0;
    std::vector<NodeAddress> nodes;
    WriteGrant grant;  // of all of them
  };
  struct AllocationRequest {
    std::string writer;
    uint32_t count = 0;
    uint64_t stored_bytes = 0;
    std::vector<std::string> exclude_node_ids;
  };

  using FileTarget = std::variant<uint64_t, std::string>;  // inode id or path

  MasterClient(Options options, MasterConnection& connection, RandomIds& ids);

  MasterClient(const MasterClient&) = delete;
  MasterClient& operator=(const MasterClient&) = delete;

  Result<FileStatus> Stat(const std::string& path);
  Status CheckAccess(const std::string& path, uint32_t rights);
  Result<DirectoryPage> List(const std::string& path,
                             const std::string& start_after,
                             uint32_t limit);
  Result<FileStatus> MakeDirectory(const std::string& path, bool create_parents);
  Status Delete(const std::string& path, bool recursive);
  Status Rename(const std::string& source, const std::string& target, bool replace);
  Result<FileStatus> SetAttributes(const std::string& path, const AttributeChange& change);
  Status SetReplication(const std::string& path, uint32_t replication);
  Status Truncate(const std::string& path, uint64_t length_bytes);
  Status Concat(const std::string& target, std::span<const std::string> sources);
  // As many paths as one call takes: see kStatBatchMax.
  Result<std::vector<Result<FileStatus>>> StatBatch(std::span<const std::string> paths);

  // From `offset_bytes` on; the master may answer with fewer blocks than there are.
  Result<FileBlocks> LocateBlocks(const FileTarget& file, uint64_t offset_bytes);
  Result<FileBlocks> LocateBlocksOnce(const FileTarget& file,
                                      uint64_t offset_bytes,
                                      uint64_t length_bytes);
  Status ReportBadReplicaOnce(uint64_t block_id,
                              const std::string& node_id,
                              const std::string& reason);

  Result<Allocation> AllocateBlocksOnce(const AllocationRequest& allocation);
  Result<AppenderState> AcquireAppender(const std::string& owner, std::chrono::milliseconds lease);
  Status RenewLease(const std::string& owner, uint64_t incarnation);
  Status RenewLeaseOnce(const std::string& owner, uint64_t incarnation);
  Result<std::vector<PreparedEpoch>> Prepare(std::span<const AppenderEpoch> epochs, bool commit);
  Result<std::vector<uint64_t>> Commit(std::span<const AppenderCommit> commits);
  Result<uint32_t> AbortAppender(const std::string& owner);
  Status AbortAppenderOnce(const std::string& owner);
  Result<std::vector<AppenderReport>> ListAppenders(const std::string& owner_prefix);

  Result<ClusterState> GetClusterState();
  Result<Defaults> GetDefaults();

  static constexpr size_t kStatBatchMax = 10'000;
  static constexpr size_t kStatBatchBytesMax = size_t{1} << 20;  // of the paths

 private:
  template <class Response, class Request>
  Result<Response> Call(std::string_view method, const Request& request);
  template <class Response, class Request>
  Result<Response> CallOnce(std::string_view method, const Request& request);

  const Options options_;
  MasterConnection& connection_;
  RandomIds& ids_;
};

}  // namespace slipstream::dfs
