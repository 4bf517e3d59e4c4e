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

#include "common/clock/clock.h"
#include "common/clock/sleep.h"
#include "common/status/status.h"
#include "dfs-client/append_store.h"
#include "dfs-client/cluster_types.h"
#include "dfs-client/file_appender.h"
#include "dfs-client/file_reader.h"
#include "dfs-client/file_types.h"
#include "dfs-client/file_writer.h"

namespace slipstream::rpc {
class Transport;
}

namespace slipstream::dfs {

struct ClientParts;

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

  // Where certificates are, and a key or a token (common/tls/tls_dir.h); empty: no TLS.
  std::string tls_dir;

  // Who asks, and owns what he makes; empty: access::ActingUser().
  std::string user;
  // Of what a superuser makes; empty: its directory's, as everybody else's is.
  std::string file_group;

  // Threads for fetching, decompressing and sending; started as they are needed. 0: none, all work
  // is done by whoever calls, and no read is hedged.
  size_t threads_max = 4;

  // What is waited for or worked around, for people, at most one every few seconds, from any
  // thread. Without it they are log lines at level warn.
  std::function<void(const std::string&)> on_notice;

  // Ends every wait, with kCancelled.
  std::stop_token stop;

  // The world around the client; a simulation puts its own in place of each. Borrowed, but for the
  // transport, which the client shares with whoever made it.
  std::shared_ptr<rpc::Transport> transport;  // null: gRPC, with tls_dir
  const Clock* clock = &SystemClock::Get();
  Sleeper* sleeper = &SystemSleeper::Get();
  uint64_t seed = 0;  // of all randomness; 0: the system's
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
  // Whether its user may do to it what `rights` says (kMayRead …). kPermissionDenied, kNotFound.
  Status CheckAccess(const std::string& path, uint32_t rights);
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

  // Of many paths, in order; each is found or has an error of its own.
  Result<std::vector<Result<FileStatus>>> StatBatch(std::span<const std::string> paths);
  Result<FileStatus> SetAttributes(const std::string& path, const AttributeChange& change);
  Status SetReplication(const std::string& path, uint32_t replication);  // 1 to 16
  // Cuts a file that nobody writes to a length it had before.
  Status Truncate(const std::string& path, uint64_t length_bytes);
  // Moves the content of `sources`, in order, behind that of `target`; the sources are gone. At
  // most 1,000, all different, none of them the target.
  Status Concat(const std::string& target, std::span<const std::string> sources);

  // Reading.
  Result<std::unique_ptr<FileReader>> OpenFile(const std::string& path);
  // Also by inode id: a file is followed wherever it is renamed to.
  Result<std::unique_ptr<FileReader>> OpenFile(uint64_t inode_id);
  // Blocks from the one that holds `offset_bytes` on; perhaps not all: ask again behind the last.
  Result<FileBlocks> LocateBlocks(const std::string& path, uint64_t offset_bytes);

  // The checksum of a file's bytes that HDFS would give with its defaults (blocks of 128 MiB, a
  // CRC32C each 512 bytes), so that both can be compared. Datanodes compute it; no data moves here.
  Result<FileChecksum> Checksum(const std::string& path);

  // Writing a whole new file. Checks nothing yet: errors show at Close(), or earlier.
  std::unique_ptr<FileWriter> CreateFile(const std::string& path,
                                         const FileWriter::Options& options = {});

  // Makes many small files, of up to 64 MiB each and kPutFilesMax together: all of them become
  // visible in one step, or none. Errors: as FileWriter::Close; kInvalidArgument past the bounds.
  Status PutFiles(std::span<const NewFile> files, const FileWriter::Options& options = {});

  // Adds to the end of a file that is there. Takes the file at once: kFailedPrecondition, with the
  // owner's name, where another writer has it.
  Result<std::unique_ptr<FileAppender>> AppendFile(const std::string& path,
                                                   const FileAppender::Options& options = {});

  // Appending, for whoever has a commit point elsewhere.
  Result<AppenderState> AcquireAppender(const std::string& owner) override;
  // With a lease: not heard of for so long (any call in its name counts), the appender is given up,
  // its files closed at what was committed.
  Result<AppenderState> AcquireAppender(const std::string& owner, std::chrono::milliseconds lease);
  // For whoever has made no other call for a while. kAborted: the lease is over.
  Status RenewLease(const std::string& owner, uint64_t incarnation);
  Result<std::vector<DurableBlock>> WriteBlocks(
      const std::string& owner, std::span<const block::EncodedBlock* const> blocks) override;
  Result<std::vector<PreparedEpoch>> Prepare(std::span<const AppenderEpoch> epochs,
                                             bool commit) override;
  Result<std::vector<uint64_t>> Commit(std::span<const AppenderCommit> commits) override;
  // Discards the owner's candidates; how many. An operator's word.
  Result<uint32_t> AbortAppender(const std::string& owner) override;
  Result<std::vector<AppenderReport>> ListAppenders(const std::string& owner_prefix);

  Result<ClusterState> GetClusterState();
  Result<Defaults> GetDefaults();

  static constexpr size_t kPutFilesMax = 10'000;
  static constexpr uint64_t kPutFilesBytesMax = 256ULL << 20;

 private:
  friend class AdminClient;
  explicit DfsClient(std::unique_ptr<ClientParts> parts);
  Result<std::unique_ptr<FileReader>> Open(const std::variant<uint64_t, std::string>& file);

  std::unique_ptr<ClientParts> parts_;
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
