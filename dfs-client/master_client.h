#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/status/status.h"
#include "dfs-client/cluster_types.h"
#include "dfs-client/file_types.h"

namespace slipstream::dfs {

class Notices;

// MasterClient: the master's calls in plain types, each with a deadline, retried while the master
// is away. What the calls mean is in proto/dfs_master.proto. Private to the library.
//
// Ownership  owns one connection; borrows `notices`.
// Threads    thread-safe.
// Blocking   up to Options::timeout; those marked "once" make a single attempt.
class MasterClient final {
 public:
  struct Options {
    std::string address;
    std::chrono::milliseconds timeout;          // of a call with all its attempts
    std::chrono::milliseconds attempt_timeout;  // of one attempt
    std::string file_owner;                     // of the files and directories it makes
    std::string file_group;
    uint64_t seed = 0;  // of the jitter; 0: a random one
    std::stop_token stop;
  };

  // What AllocateBlocks gave: ids first, first+1, …, all for the same chain.
  struct Allocation {
    uint64_t first_block_id = 0;
    std::vector<NodeAddress> nodes;
  };
  struct AllocationRequest {
    std::string writer;
    uint32_t count = 0;
    uint64_t stored_bytes = 0;
    std::vector<std::string> exclude_node_ids;
  };

  using FileTarget = std::variant<uint64_t, std::string>;  // inode id or path

  MasterClient(Options options, Notices& notices);
  ~MasterClient();

  MasterClient(const MasterClient&) = delete;
  MasterClient& operator=(const MasterClient&) = delete;

  Result<FileStatus> Stat(const std::string& path);
  Result<DirectoryPage> List(const std::string& path,
                             const std::string& start_after,
                             uint32_t limit);
  Result<FileStatus> MakeDirectory(const std::string& path, bool create_parents);
  Status Delete(const std::string& path, bool recursive);
  Status Rename(const std::string& source, const std::string& target, bool replace);

  // From `offset_bytes` on; the master may answer with fewer blocks than there are.
  Result<FileBlocks> LocateBlocks(const FileTarget& file, uint64_t offset_bytes);
  Result<FileBlocks> LocateBlocksOnce(const FileTarget& file,
                                      uint64_t offset_bytes,
                                      uint64_t length_bytes);
  Status ReportBadReplicaOnce(uint64_t block_id,
                              const std::string& node_id,
                              const std::string& reason);

  Result<Allocation> AllocateBlocksOnce(const AllocationRequest& allocation);
  Result<AppenderState> AcquireAppender(const std::string& owner);
  Result<std::vector<PreparedEpoch>> Prepare(std::span<const AppenderEpoch> epochs, bool commit);
  Result<std::vector<uint64_t>> Commit(std::span<const AppenderCommit> commits);
  Result<uint32_t> AbortAppender(const std::string& owner);
  Result<std::vector<AppenderReport>> ListAppenders(const std::string& owner_prefix);

  Result<ClusterState> GetClusterState();

  const std::string& address() const { return options_.address; }

 private:
  struct Connection;

  template <class Request, class Response, class Method>
  Result<Response> CallOnce(Method method,
                            const Request& request,
                            std::chrono::milliseconds timeout);
  template <class Request, class Response, class Method>
  Result<Response> Call(Method method, const Request& request, int* attempts = nullptr);

  const Options options_;
  Notices& notices_;
  const std::unique_ptr<Connection> connection_;
};

}  // namespace slipstream::dfs
