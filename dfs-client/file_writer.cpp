#include "dfs-client/file_writer.h"

#include <chrono>
#include <utility>
#include <vector>

#include "common/failpoint/failpoint.h"
#include "dfs-client/block_pipeline.h"
#include "dfs-client/master_client.h"

namespace slipstream::dfs {
namespace {

// The appender exists from Close() on, for as long as that takes.
constexpr std::chrono::milliseconds kLease{60'000};

}  // namespace

struct FileWriter::Impl {
  Impl(const Options& wanted, const Parts& borrowed, std::string file_path, std::string writer)
      : options(wanted),
        master(borrowed.master),
        path(std::move(file_path)),
        owner(std::move(writer)),
        blocks({.compression_level = wanted.compression_level, .uploads_max = wanted.uploads_max},
               {.blocks = borrowed.blocks, .pool = borrowed.pool},
               owner) {}

  Status Publish();

  const Options options;
  MasterClient& master;
  const std::string path;
  const std::string owner;
  BlockPipeline blocks;
  bool is_closed = false;
  Status error;
};

Status FileWriter::Impl::Publish() {
  ASSIGN_OR_RETURN(std::vector<DurableBlock> durable, blocks.Drain());
  SLIPSTREAM_FAILPOINT("dfs_client.before_publish");
  ASSIGN_OR_RETURN(AppenderState state, master.AcquireAppender(owner, kLease));
  AppenderEpoch epoch{.owner = owner, .incarnation = state.incarnation, .epoch = 1};
  epoch.files.push_back({.target = path,
                         .blocks = std::move(durable),
                         .close = true,
                         .replace = options.replace,
                         .mode = options.mode,
                         .replication = options.replication});
  return master.Prepare({&epoch, 1}, /*commit=*/true).status();
}

FileWriter::FileWriter(const Options& options,
                       const Parts& parts,
                       std::string path,
                       std::string owner)
    : impl_(std::make_unique<Impl>(options, parts, std::move(path), std::move(owner))) {}

FileWriter::~FileWriter() = default;

Status FileWriter::Write(std::string_view raw) {
  Impl& impl = *impl_;
  if (impl.is_closed) return FailedPrecondition("write to a closed file");
  if (impl.error.ok()) impl.error = impl.blocks.Write(raw);
  return impl.error;
}

Status FileWriter::Close() {
  Impl& impl = *impl_;
  if (impl.is_closed) return impl.error;
  impl.is_closed = true;
  if (impl.error.ok()) impl.error = impl.Publish();
  return impl.error;
}

uint64_t FileWriter::written_bytes() const {
  return impl_->blocks.written_bytes();
}

}  // namespace slipstream::dfs
