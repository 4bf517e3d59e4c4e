#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-client/append_store.h"

namespace slipstream::dfs {

// MemoryAppendStore: the master's rules for two-phase appends, and the files' contents, without
// processes: incarnations fence, candidates stand side by side, lengths are conditional, Commit is
// idempotent and alone discards candidates. Threads: thread-safe.
class MemoryAppendStore final : public AppendStore {
 public:
  Result<AppenderState> AcquireAppender(const std::string& owner) override;
  Result<std::vector<DurableBlock>> WriteBlocks(
      const std::string& owner, std::span<const block::EncodedBlock* const> blocks) override;
  Result<std::vector<PreparedEpoch>> Prepare(std::span<const AppenderEpoch> epochs,
                                             bool commit) override;
  Result<std::vector<uint64_t>> Commit(std::span<const AppenderCommit> commits) override;
  Result<uint32_t> AbortAppender(const std::string& owner) override;

  // What a reader sees: committed bytes, by path.
  std::map<std::string, std::string> Files() const;
  // Whether somebody still appends to the file.
  bool IsOpen(const std::string& path) const;
  void Delete(const std::string& path);
  // The next `count` calls fail with kUnavailable.
  void FailNext(int count);
  size_t prepared_count() const;
  int write_count() const;  // calls of WriteBlocks

 private:
  struct File {
    std::string path;
    std::string content;
    std::string writer;  // empty: nobody's
    bool is_visible = false;
    bool is_deleted = false;
  };
  struct Share {
    uint64_t inode_id = 0;
    std::string bytes;
    bool close = false;
    bool replace = false;  // what has the name gives way
  };
  using Candidate = std::vector<Share>;
  struct Appender {
    uint64_t incarnation = 0;
    EpochPair committed;
    std::map<std::pair<uint64_t, uint64_t>, Candidate> prepared;
  };

  Status TakeFailure() REQUIRES(mutex_);
  Result<PreparedEpoch> PrepareOne(const AppenderEpoch& epoch) REQUIRES(mutex_);
  Result<uint64_t> Bind(const std::string& owner, const FileAppend& append) REQUIRES(mutex_);
  Status CommitOne(const std::string& owner, EpochPair pair, std::vector<uint64_t>& dropped)
      REQUIRES(mutex_);

  mutable Mutex mutex_;
  int failures_ GUARDED_BY(mutex_) = 0;
  int writes_ GUARDED_BY(mutex_) = 0;
  uint64_t next_incarnation_ GUARDED_BY(mutex_) = 1;
  uint64_t next_id_ GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, std::string> blocks_ GUARDED_BY(mutex_);
  std::map<uint64_t, File> files_ GUARDED_BY(mutex_);
  std::map<std::string, Appender> appenders_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::dfs
