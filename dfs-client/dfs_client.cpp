#include "dfs-client/dfs_client.h"

#include <utility>

#include "dfs-client/block_writer.h"
#include "dfs-client/master_client.h"
#include "dfs-client/node_client.h"
#include "dfs-client/notices.h"
#include "dfs-client/suspect_nodes.h"
#include "dfs-client/worker_pool.h"

namespace slipstream::dfs {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMasterAttemptTimeout{10'000};
// Shorter than the master takes to give a node up, so that one that is back is used again soon.
constexpr milliseconds kSuspectsForgivenAfter{10'000};

MasterClient::Options MasterOptions(const ClientOptions& options) {
  return {.address = options.master,
          .timeout = options.timeout,
          .attempt_timeout = kMasterAttemptTimeout,
          .file_owner = options.file_owner,
          .file_group = options.file_group,
          .stop = options.stop};
}

}  // namespace

struct DfsClient::Impl {
  explicit Impl(ClientOptions wanted)
      : options(std::move(wanted)),
        notices(options.on_notice),
        suspects(kSuspectsForgivenAfter),
        master(MasterOptions(options), notices),
        nodes(options.stop),
        pool("dfs_client", options.threads_max),
        blocks({.timeout = options.write_timeout, .stop = options.stop},
               master,
               nodes,
               suspects,
               pool,
               notices) {}

  const ClientOptions options;
  Notices notices;
  SuspectNodes suspects;
  MasterClient master;
  NodeClient nodes;
  WorkerPool pool;
  BlockWriter blocks;
};

DfsClient::DfsClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

DfsClient::~DfsClient() = default;

std::unique_ptr<DfsClient> DfsClient::Connect(ClientOptions options) {
  return std::unique_ptr<DfsClient>(new DfsClient(std::make_unique<Impl>(std::move(options))));
}

Result<FileStatus> DfsClient::Stat(const std::string& path) {
  return impl_->master.Stat(path);
}

Result<DirectoryPage> DfsClient::List(const std::string& path,
                                      const std::string& start_after,
                                      uint32_t limit) {
  return impl_->master.List(path, start_after, limit);
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
  return impl_->master.MakeDirectory(path, create_parents);
}

Status DfsClient::Delete(const std::string& path, bool recursive) {
  return impl_->master.Delete(path, recursive);
}

Status DfsClient::Rename(const std::string& source, const std::string& target, bool replace) {
  return impl_->master.Rename(source, target, replace);
}

Result<std::unique_ptr<FileReader>> DfsClient::OpenFile(const std::string& path) {
  return Open(path);
}

Result<std::unique_ptr<FileReader>> DfsClient::OpenFile(uint64_t inode_id) {
  return Open(inode_id);
}

Result<std::unique_ptr<FileReader>> DfsClient::Open(
    const std::variant<uint64_t, std::string>& file) {
  ASSIGN_OR_RETURN(FileBlocks blocks, impl_->master.LocateBlocks(file, 0));
  if (blocks.status.kind == FileKind::kDirectory) return FailedPrecondition("is a directory");
  const FileReader::Options options{.timeout = impl_->options.read_timeout,
                                    .attempt_timeout = impl_->options.replica_timeout,
                                    .stop = impl_->options.stop};
  const FileReader::Parts parts{.master = impl_->master,
                                .nodes = impl_->nodes,
                                .suspects = impl_->suspects,
                                .pool = impl_->pool,
                                .notices = impl_->notices};
  return std::make_unique<FileReader>(options, parts, std::move(blocks));
}

Result<FileBlocks> DfsClient::LocateBlocks(const std::string& path, uint64_t offset_bytes) {
  return impl_->master.LocateBlocks(path, offset_bytes);
}

std::unique_ptr<FileWriter> DfsClient::CreateFile(const std::string& path,
                                                  const FileWriter::Options& options) {
  const FileWriter::Parts parts{
      .master = impl_->master, .blocks = impl_->blocks, .pool = impl_->pool};
  return std::make_unique<FileWriter>(options, parts, path);
}

Result<AppenderState> DfsClient::AcquireAppender(const std::string& owner) {
  return impl_->master.AcquireAppender(owner);
}

Result<std::vector<DurableBlock>> DfsClient::WriteBlocks(
    const std::string& owner, std::span<const block::EncodedBlock* const> blocks) {
  return impl_->blocks.Write(owner, blocks);
}

Result<std::vector<PreparedEpoch>> DfsClient::Prepare(std::span<const AppenderEpoch> epochs,
                                                      bool commit) {
  return impl_->master.Prepare(epochs, commit);
}

Result<std::vector<uint64_t>> DfsClient::Commit(std::span<const AppenderCommit> commits) {
  return impl_->master.Commit(commits);
}

Result<uint32_t> DfsClient::AbortAppender(const std::string& owner) {
  return impl_->master.AbortAppender(owner);
}

Result<std::vector<AppenderReport>> DfsClient::ListAppenders(const std::string& owner_prefix) {
  return impl_->master.ListAppenders(owner_prefix);
}

Result<ClusterState> DfsClient::GetClusterState() {
  return impl_->master.GetClusterState();
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
