#include "dfs-client/file_appender.h"

#include <algorithm>
#include <atomic>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "common/failpoint/failpoint.h"
#include "dfs-client/block_pipeline.h"
#include "dfs-client/master_client.h"
#include "dfs-client/worker_pool.h"

namespace slipstream::dfs {

using std::chrono::milliseconds;

struct FileAppender::Impl {
  Impl(const Options& wanted, const Parts& borrowed, const FileStatus& file, std::string writer)
      : options(wanted),
        parts(borrowed),
        inode_id(file.inode_id),
        length_bytes(file.length_bytes),
        owner(std::move(writer)),
        blocks({.compression_level = wanted.compression_level, .uploads_max = wanted.uploads_max},
               {.blocks = borrowed.blocks, .pool = borrowed.pool},
               owner) {}
  ~Impl();

  enum class Then { kGoOn, kGiveUp };

  Status Acquire();
  // Everything written so far, in one step.
  Status Publish(Then then);
  void StartRenewing();
  void Renew();
  void RenewIfDue();

  const Options options;
  const Parts parts;
  const uint64_t inode_id;
  uint64_t length_bytes;
  const std::string owner;
  BlockPipeline blocks;
  uint64_t incarnation = 0;
  EpochPair committed;
  bool is_taken = false;  // the file is this writer's
  bool is_closed = false;
  Status error;
  SteadyTime renewed_at;              // where there is no thread
  std::atomic<bool> is_over = false;  // the lease
  std::jthread renewal;               // last: it uses all of the above
};

FileAppender::Impl::~Impl() {
  renewal = {};  // stops and joins
  // A lease would give the file back as well, later.
  if (is_taken && !is_closed) (void)parts.master.AbortAppenderOnce(owner);
}

Status FileAppender::Impl::Acquire() {
  ASSIGN_OR_RETURN(AppenderState state, parts.master.AcquireAppender(owner, options.lease));
  incarnation = state.incarnation;
  return {};
}

Status FileAppender::Impl::Publish(Then then) {
  ASSIGN_OR_RETURN(std::vector<DurableBlock> durable, blocks.Drain());
  const bool is_first = committed.epoch == 0;
  if (durable.empty() && !is_first && then == Then::kGoOn) return {};
  uint64_t added_bytes = 0;
  for (const DurableBlock& block : durable)
    added_bytes += block.block.raw_bytes;
  SLIPSTREAM_FAILPOINT("dfs_client.before_append");
  AppenderEpoch epoch{.owner = owner,
                      .incarnation = incarnation,
                      .epoch = committed.epoch + 1,
                      .committed = committed};
  epoch.files.push_back({.target = inode_id,
                         .expected_length_bytes = length_bytes,
                         .blocks = std::move(durable),
                         .close = then == Then::kGiveUp});
  // Sent again as it is where no answer comes; the master carries an epoch out once.
  ASSIGN_OR_RETURN(auto prepared, parts.master.Prepare({&epoch, 1}, /*commit=*/true));
  if (!prepared[0].lost_files.empty()) {
    return FailedPrecondition("the file was deleted while it was appended to");
  }
  committed = {.epoch = epoch.epoch, .incarnation = incarnation};
  length_bytes += added_bytes;
  return {};
}

void FileAppender::Impl::Renew() {
  // What else is wrong may pass before the lease does.
  const Status status = parts.master.RenewLeaseOnce(owner, incarnation);
  if (status.code() == Code::kAborted) is_over = true;
}

void FileAppender::Impl::StartRenewing() {
  renewed_at = parts.clock.Now();
  if (options.lease == milliseconds(0) || parts.pool.is_inline()) return;
  renewal = std::jthread([this](const std::stop_token& stop) {
    while (!is_over && parts.sleeper.Sleep(options.lease / 3, stop))
      Renew();
  });
}

void FileAppender::Impl::RenewIfDue() {
  if (options.lease == milliseconds(0) || renewal.joinable()) return;
  const SteadyTime now = parts.clock.Now();
  if (now - renewed_at < options.lease / 3) return;
  renewed_at = now;
  Renew();
}

FileAppender::FileAppender(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

FileAppender::~FileAppender() = default;

Result<std::unique_ptr<FileAppender>> FileAppender::Open(const Options& options,
                                                         const Parts& parts,
                                                         const FileStatus& file,
                                                         std::string owner) {
  if (file.kind == FileKind::kDirectory) return FailedPrecondition("is a directory");
  if (!file.writer.empty()) {
    return FailedPrecondition("the file is being written by " + file.writer);
  }
  auto impl = std::make_unique<Impl>(options, parts, file, std::move(owner));
  RETURN_IF_ERROR(impl->Acquire());
  // An epoch without blocks: from its commit on the file is this writer's.
  RETURN_IF_ERROR(impl->Publish(Impl::Then::kGoOn));
  impl->is_taken = true;
  impl->StartRenewing();
  return std::unique_ptr<FileAppender>(new FileAppender(std::move(impl)));
}

Status FileAppender::Write(std::string_view raw) {
  Impl& impl = *impl_;
  if (impl.is_closed) return FailedPrecondition("write to a closed file");
  impl.RenewIfDue();
  if (impl.error.ok() && impl.is_over) impl.error = Aborted("the lease of this writer is over");
  if (impl.error.ok()) impl.error = impl.blocks.Write(raw);
  return impl.error;
}

Status FileAppender::Flush() {
  Impl& impl = *impl_;
  if (impl.is_closed) return FailedPrecondition("flush of a closed file");
  if (impl.error.ok()) impl.error = impl.Publish(Impl::Then::kGoOn);
  return impl.error;
}

Status FileAppender::Close() {
  Impl& impl = *impl_;
  if (impl.is_closed) return impl.error;
  if (impl.error.ok()) {
    impl.error = impl.Publish(Impl::Then::kGiveUp);
    impl.is_closed = impl.error.ok();
  }
  return impl.error;
}

uint64_t FileAppender::length_bytes() const {
  return impl_->length_bytes;
}

}  // namespace slipstream::dfs
