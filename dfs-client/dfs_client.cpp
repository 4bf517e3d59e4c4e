#include "dfs-client/dfs_client.h"

#include <iterator>
#include <utility>

#include "common/access/process_user.h"
#include "common/rpc/grpc_transport.h"
#include "common/tls/tls_dir.h"
#include "dfs-client/client_parts.h"
#include "dfs-client/file_checksum.h"
#include "dfs-client/replica_reader.h"
#include "dfs-client/small_files.h"

namespace slipstream::dfs {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMasterAttemptTimeout{10'000};
// Shorter than the master takes to give a node up, so that one that is back is used again soon.
constexpr milliseconds kNoLease{0};
// To append to a file that others append to.
constexpr int kOpenAttemptsMax = 5;
constexpr milliseconds kSuspectsForgivenAfter{10'000};

MasterConnection::Options ConnectionOptions(const ClientOptions& options) {
  return {.address = options.master,
          .timeout = options.timeout,
          .attempt_timeout = kMasterAttemptTimeout,
          .user = options.user,
          .token_file = options.tls_dir.empty() ? "" : tls::TokenFile(options.tls_dir),
          .seed = options.seed,
          .stop = options.stop,
          .clock = options.clock,
          .sleeper = options.sleeper};
}

BlockWriter::Options WriterOptions(const ClientOptions& options) {
  return {.timeout = options.write_timeout,
          .seed = options.seed,
          .stop = options.stop,
          .clock = options.clock,
          .sleeper = options.sleeper};
}

}  // namespace

ClientParts::ClientParts(ClientOptions wanted)
    : options(std::move(wanted)),
      transport(options.transport ? options.transport : rpc::MakeGrpcTransport(options.tls_dir)),
      ids(options.seed),
      notices(options.on_notice, *options.clock),
      suspects(kSuspectsForgivenAfter),
      connection(ConnectionOptions(options), *transport, notices),
      master({.file_owner = options.user, .file_group = options.file_group}, connection, ids),
      publisher(master, ids, *options.clock),
      nodes(*transport, options.stop),
      hedged({.is_hedging = options.threads_max > 0}, nodes, *options.clock),
      pool("dfs_client", options.threads_max),
      blocks(WriterOptions(options), master, nodes, suspects, pool, notices) {}

DfsClient::DfsClient(std::unique_ptr<ClientParts> parts) : parts_(std::move(parts)) {}

DfsClient::~DfsClient() = default;

std::unique_ptr<DfsClient> DfsClient::Connect(ClientOptions options) {
  if (options.user.empty()) options.user = access::ActingUser();
  return std::unique_ptr<DfsClient>(
      new DfsClient(std::make_unique<ClientParts>(std::move(options))));
}

Result<FileStatus> DfsClient::Stat(const std::string& path) {
  return parts_->master.Stat(path);
}

Status DfsClient::CheckAccess(const std::string& path, uint32_t rights) {
  return parts_->master.CheckAccess(path, rights);
}

Result<DirectoryPage> DfsClient::List(const std::string& path,
                                      const std::string& start_after,
                                      uint32_t limit) {
  return parts_->master.List(path, start_after, limit);
}

Result<std::vector<FileStatus>> DfsClient::ListAll(const std::string& path) {
  std::vector<FileStatus> entries;
  DirectoryIterator iterator(*this, path);
  while (true) {
    ASSIGN_OR_RETURN(std::optional<FileStatus> entry, iterator.Next());
    if (!entry.has_value()) return entries;
    entries.push_back(std::move(*entry));
  }
}

Result<FileStatus> DfsClient::MakeDirectory(const std::string& path, bool create_parents) {
  return parts_->master.MakeDirectory(path, create_parents);
}

Status DfsClient::Delete(const std::string& path, bool recursive) {
  return parts_->master.Delete(path, recursive);
}

Status DfsClient::Rename(const std::string& source, const std::string& target, bool replace) {
  return parts_->master.Rename(source, target, replace);
}

Result<std::vector<Result<FileStatus>>> DfsClient::StatBatch(std::span<const std::string> paths) {
  std::vector<Result<FileStatus>> all;
  all.reserve(paths.size());
  while (!paths.empty()) {
    size_t count = 0;
    for (size_t bytes = 0; count < paths.size() && count < MasterClient::kStatBatchMax; ++count) {
      bytes += paths[count].size();
      if (count > 0 && bytes > MasterClient::kStatBatchBytesMax) break;
    }
    ASSIGN_OR_RETURN(auto found, parts_->master.StatBatch(paths.first(count)));
    std::move(found.begin(), found.end(), std::back_inserter(all));
    paths = paths.subspan(count);
  }
  return all;
}

Result<FileStatus> DfsClient::SetAttributes(const std::string& path,
                                            const AttributeChange& change) {
  return parts_->master.SetAttributes(path, change);
}

Status DfsClient::SetReplication(const std::string& path, uint32_t replication) {
  return parts_->master.SetReplication(path, replication);
}

Status DfsClient::Truncate(const std::string& path, uint64_t length_bytes) {
  return parts_->master.Truncate(path, length_bytes);
}

Status DfsClient::Concat(const std::string& target, std::span<const std::string> sources) {
  return parts_->master.Concat(target, sources);
}

Result<std::unique_ptr<FileReader>> DfsClient::OpenFile(const std::string& path) {
  return Open(path);
}

Result<std::unique_ptr<FileReader>> DfsClient::OpenFile(uint64_t inode_id) {
  return Open(inode_id);
}

Result<std::unique_ptr<FileReader>> DfsClient::Open(
    const std::variant<uint64_t, std::string>& file) {
  ASSIGN_OR_RETURN(FileBlocks blocks, parts_->master.LocateBlocks(file, 0));
  if (blocks.status.kind == FileKind::kDirectory) return FailedPrecondition("is a directory");
  const FileReader::Options options{.timeout = parts_->options.read_timeout,
                                    .attempt_timeout = parts_->options.replica_timeout,
                                    .seed = parts_->options.seed,
                                    .stop = parts_->options.stop,
                                    .clock = parts_->options.clock,
                                    .sleeper = parts_->options.sleeper};
  const FileReader::Parts parts{.master = parts_->master,
                                .nodes = parts_->nodes,
                                .hedged = parts_->hedged,
                                .suspects = parts_->suspects,
                                .pool = parts_->pool,
                                .notices = parts_->notices};
  return std::make_unique<FileReader>(options, parts, std::move(blocks));
}

Result<FileBlocks> DfsClient::LocateBlocks(const std::string& path, uint64_t offset_bytes) {
  return parts_->master.LocateBlocks(path, offset_bytes);
}

Result<FileChecksum> DfsClient::Checksum(const std::string& path) {
  ASSIGN_OR_RETURN(FileBlocks blocks, parts_->master.LocateBlocks(path, 0));
  if (blocks.status.kind == FileKind::kDirectory) return FailedPrecondition("is a directory");
  const ClientOptions& options = parts_->options;
  ReplicaReader replicas({.timeout = options.read_timeout,
                          .attempt_timeout = options.replica_timeout,
                          .seed = options.seed,
                          .stop = options.stop,
                          .clock = options.clock,
                          .sleeper = options.sleeper},
                         {.master = parts_->master,
                          .nodes = parts_->nodes,
                          .hedged = parts_->hedged,
                          .suspects = parts_->suspects,
                          .notices = parts_->notices});
  return ChecksumFile(replicas, parts_->master, parts_->pool, std::move(blocks), options.stop);
}

Status DfsClient::PutFiles(std::span<const NewFile> files, const FileWriter::Options& options) {
  return PutSmallFiles(
      parts_->publisher, parts_->blocks, files, options, "client/" + parts_->ids.Next());
}

std::unique_ptr<FileWriter> DfsClient::CreateFile(const std::string& path,
                                                  const FileWriter::Options& options) {
  const FileWriter::Parts parts{
      .publisher = parts_->publisher, .blocks = parts_->blocks, .pool = parts_->pool};
  return std::make_unique<FileWriter>(options, parts, path, "client/" + parts_->ids.Next());
}

Result<std::unique_ptr<FileAppender>> DfsClient::AppendFile(const std::string& path,
                                                            const FileAppender::Options& options) {
  const FileAppender::Parts parts{.master = parts_->master,
                                  .blocks = parts_->blocks,
                                  .pool = parts_->pool,
                                  .clock = *parts_->options.clock,
                                  .sleeper = *parts_->options.sleeper};
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(FileStatus file, parts_->master.Stat(path));
    auto appender = FileAppender::Open(options, parts, file, "client/" + parts_->ids.Next());
    // Somebody else appended in between: look again.
    const bool has_changed = appender.status().code() == Code::kAborted;
    if (!has_changed || attempt == kOpenAttemptsMax) return appender;
  }
}

Result<AppenderState> DfsClient::AcquireAppender(const std::string& owner) {
  return parts_->master.AcquireAppender(owner, kNoLease);
}

Result<AppenderState> DfsClient::AcquireAppender(const std::string& owner, milliseconds lease) {
  return parts_->master.AcquireAppender(owner, lease);
}

Status DfsClient::RenewLease(const std::string& owner, uint64_t incarnation) {
  return parts_->master.RenewLease(owner, incarnation);
}

Result<std::vector<DurableBlock>> DfsClient::WriteBlocks(
    const std::string& owner, std::span<const block::EncodedBlock* const> blocks) {
  return parts_->blocks.Write(owner, blocks);
}

Result<std::vector<PreparedEpoch>> DfsClient::Prepare(std::span<const AppenderEpoch> epochs,
                                                      bool commit) {
  return parts_->master.Prepare(epochs, commit);
}

Result<std::vector<uint64_t>> DfsClient::Commit(std::span<const AppenderCommit> commits) {
  return parts_->master.Commit(commits);
}

Result<uint32_t> DfsClient::AbortAppender(const std::string& owner) {
  return parts_->master.AbortAppender(owner);
}

Result<std::vector<AppenderReport>> DfsClient::ListAppenders(const std::string& owner_prefix) {
  return parts_->master.ListAppenders(owner_prefix);
}

Result<ClusterState> DfsClient::GetClusterState() {
  return parts_->master.GetClusterState();
}

Result<Defaults> DfsClient::GetDefaults() {
  return parts_->master.GetDefaults();
}

Result<std::optional<FileStatus>> DirectoryIterator::Next() {
  while (index_ == page_.entries.size()) {
    if (!page_.has_more) return std::optional<FileStatus>();
    ASSIGN_OR_RETURN(page_, client_.List(path_, last_name_, 0));
    index_ = 0;
    if (page_.entries.empty()) page_.has_more = false;
  }
  std::optional<FileStatus> entry = std::move(page_.entries[index_++]);
  last_name_ = entry->name;
  return entry;
}

}  // namespace slipstream::dfs
