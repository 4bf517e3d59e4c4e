#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "common/status/status.h"
#include "dfs-client/append_store.h"
#include "dfs-client/cluster_types.h"
#include "dfs-client/file_reader.h"
#include "dfs-client/file_types.h"
#include "dfs-client/file_writer.h"

namespace slipstream::dfs {

struct ClientOptions {
  std::string master = "127.0.0.1:7400";  // HOST:PORT

  // How long a call to the master is tried while it is away.
  std::chrono::milliseconds timeout{60'000};
  // How long a write of blocks is tried while too few datanodes take them.
  std::chrono::milliseconds write_timeout{60'000};
  // How long a read is tried while no replica answers.
  std::chrono::milliseconds read_timeout{60'000};
  // How long one replica has to answer before another is tried.
  std::chrono::milliseconds replica_timeout{10'000};

  // Of the files and directories made; empty: the master's own.
  std::string file_owner;
  std::string file_group;

  // Threads for fetching, decompressing and sending; started as they are needed.
  size_t threads_max = 4;

  // What is waited for or worked around, for people, at most one every few seconds, from any
  // thread. Without it they are log lines at level warn.
  std::function<void(const std::string&)> on_notice;

  // Ends every wait, with kCancelled.
  std::stop_token stop;
};

// DfsClient: the file system, to everyone who is not part of it. Paths are absolute; see path.h.
//
// Ownership  owns its connections and threads. Readers, writers and iterators borrow them: destroy
//            those first.
// Threads    thread-safe.
// Blocking   every call, up to the timeouts above; transient failures are retried inside.
// Errors     kNotFound, kAlreadyExists, kInvalidArgument (a bad path), kFailedPrecondition (not a
//            directory, not empty, owned by a writer), kUnavailable (still so at the deadline), and
//            what AppendStore says.
class DfsClient final : public AppendStore {
 public:
  // Does no I/O: whether there is a master shows at the first call.
  static std::unique_ptr<DfsClient> Connect(ClientOptions options);
  ~DfsClient() override;

  DfsClient(const DfsClient&) = delete;
  DfsClient& operator=(const DfsClient&) = delete;

  // Names.
  Result<FileStatus> Stat(const std::string& path);
  // Up to `limit` (0: the master's default) entries whose names come after `start_after`; of a file
  // the file alone.
  Result<DirectoryPage> List(const std::string& path,
                             const std::string& start_after,
                             uint32_t limit);
  // All entries, in memory.
  Result<std::vector<FileStatus>> ListAll(const std::string& path);
  // With `create_parents` parents are made and an existing directory is no error.
  Result<FileStatus> MakeDirectory(const std::string& path, bool create_parents);
  Status Delete(const std::string& path, bool recursive);
  // `target` is the full new path. With `replace` a file (or empty directory) there gives way.
  Status Rename(const std::string& source, const std::string& target, bool replace);

  // Reading.
  Result<std::unique_ptr<FileReader>> OpenFile(const std::string& path);
  // Also by inode id: a file is followed wherever it is renamed to.
  Result<std::unique_ptr<FileReader>> OpenFile(uint64_t inode_id);
  // Blocks from the one that holds `offset_bytes` on; perhaps not all: ask again behind the last.
  Result<FileBlocks> LocateBlocks(const std::string& path, uint64_t offset_bytes);

  // Writing a whole new file. Checks nothing yet: errors show at Close(), or earlier.
  std::unique_ptr<FileWriter> CreateFile(const std::string& path,
                                         const FileWriter::Options& options = {});

  // Appending, for whoever has a commit point elsewhere.
  Result<AppenderState> AcquireAppender(const std::string& owner) override;
  Result<std::vector<DurableBlock>> WriteBlocks(
      const std::string& owner, std::span<const block::EncodedBlock* const> blocks) override;
  Result<std::vector<PreparedEpoch>> Prepare(std::span<const AppenderEpoch> epochs,
                                             bool commit) override;
  Result<std::vector<uint64_t>> Commit(std::span<const AppenderCommit> commits) override;
  // Discards the owner's candidates; how many. An operator's word.
  Result<uint32_t> AbortAppender(const std::string& owner);
  Result<std::vector<AppenderReport>> ListAppenders(const std::string& owner_prefix);

  Result<ClusterState> GetClusterState();

 private:
  struct Impl;
  explicit DfsClient(std::unique_ptr<Impl> impl);
  Result<std::unique_ptr<FileReader>> Open(const std::variant<uint64_t, std::string>& file);

  std::unique_ptr<Impl> impl_;
};

// DirectoryIterator: the entries of a directory, a page at a time. Entries made or deleted while it
// runs may or may not be seen; every other one is seen once.
// Threads: not thread-safe. Ownership: borrows the client.
class DirectoryIterator final {
 public:
  DirectoryIterator(DfsClient& client, std::string path)
      : client_(client), path_(std::move(path)) {}

  // The next entry by name; none at the end.
  Result<std::optional<FileStatus>> Next();

 private:
  DfsClient& client_;
  const std::string path_;
  DirectoryPage page_{.entries = {}, .has_more = true};
  size_t index_ = 0;
  std::string last_name_;
};

}  // namespace slipstream::dfs
