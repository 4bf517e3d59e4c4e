#include "dfs-client/file_writer.h"

#include <algorithm>
#include <deque>
#include <future>
#include <utility>
#include <vector>

#include "common/block/encoded_block.h"
#include "common/failpoint/failpoint.h"
#include "dfs-client/block_writer.h"
#include "dfs-client/master_client.h"
#include "dfs-client/random_id.h"
#include "dfs-client/worker_pool.h"

namespace slipstream::dfs {

struct FileWriter::Impl {
  using Upload = std::future<Result<std::vector<DurableBlock>>>;

  Impl(const Options& wanted, const Parts& borrowed, std::string file_path)
      : options(wanted),
        parts(borrowed),
        path(std::move(file_path)),
        owner("client/" + NewRandomId()),
        compressor(wanted.compression_level),
        encoder(compressor) {}

  void StartUpload();
  Status FinishUpload();
  Status Publish();

  const Options options;
  const Parts parts;
  const std::string path;
  const std::string owner;
  block::FrameCompressor compressor;
  block::BlockEncoder encoder;
  std::deque<Upload> uploads;         // in the order of the file
  std::vector<DurableBlock> durable;  // the beginning of the file
  uint64_t written_bytes = 0;
  bool is_closed = false;
  Status error;
};

void FileWriter::Impl::StartUpload() {
  uploads.push_back(parts.pool.Submit([this, encoded = encoder.Finish()] {
    const block::EncodedBlock* blocks[] = {&encoded};
    return parts.blocks.Write(owner, blocks);
  }));
}

Status FileWriter::Impl::FinishUpload() {
  Result<std::vector<DurableBlock>> uploaded = uploads.front().get();
  uploads.pop_front();
  RETURN_IF_ERROR(uploaded.status());
  durable.insert(durable.end(), uploaded->begin(), uploaded->end());
  return {};
}

Status FileWriter::Impl::Publish() {
  SLIPSTREAM_FAILPOINT("dfs_client.before_publish");
  ASSIGN_OR_RETURN(AppenderState state, parts.master.AcquireAppender(owner));
  AppenderEpoch epoch{.owner = owner, .incarnation = state.incarnation, .epoch = 1};
  epoch.files.push_back(
      {.target = path, .blocks = std::move(durable), .close = true, .replace = options.replace});
  return parts.master.Prepare({&epoch, 1}, /*commit=*/true).status();
}

FileWriter::FileWriter(const Options& options, const Parts& parts, std::string path)
    : impl_(std::make_unique<Impl>(options, parts, std::move(path))) {}

FileWriter::~FileWriter() {
  for (Impl::Upload& upload : impl_->uploads)
    upload.wait();
}

Status FileWriter::Write(std::string_view raw) {
  Impl& impl = *impl_;
  if (impl.is_closed) return FailedPrecondition("write to a closed file");
  while (!raw.empty() && impl.error.ok()) {
    const auto taken =
        static_cast<size_t>(std::min<uint64_t>(raw.size(), impl.encoder.room_bytes()));
    impl.error = impl.encoder.Append(raw.substr(0, taken));
    if (!impl.error.ok()) break;
    raw.remove_prefix(taken);
    impl.written_bytes += taken;
    if (impl.encoder.room_bytes() > 0) continue;
    if (impl.uploads.size() == impl.options.uploads_max) impl.error = impl.FinishUpload();
    if (impl.error.ok()) impl.StartUpload();
  }
  return impl.error;
}

Status FileWriter::Close() {
  Impl& impl = *impl_;
  if (impl.is_closed) return impl.error;
  impl.is_closed = true;
  if (impl.error.ok() && !impl.encoder.empty()) impl.StartUpload();
  while (impl.error.ok() && !impl.uploads.empty())
    impl.error = impl.FinishUpload();
  if (impl.error.ok()) impl.error = impl.Publish();
  return impl.error;
}

uint64_t FileWriter::written_bytes() const {
  return impl_->written_bytes;
}

}  // namespace slipstream::dfs
