#include "dfs-client/file_writer.h"

#include <utility>
#include <vector>

#include "common/failpoint/failpoint.h"
#include "dfs-client/block_pipeline.h"
#include "dfs-client/file_publisher.h"

namespace slipstream::dfs {

struct FileWriter::Impl {
  Impl(const Options& wanted, const Parts& borrowed, std::string file_path, std::string allocator)
      : options(wanted),
        publisher(borrowed.publisher),
        path(std::move(file_path)),
        blocks({.compression_level = wanted.compression_level, .uploads_max = wanted.uploads_max},
               {.blocks = borrowed.blocks, .pool = borrowed.pool},
               std::move(allocator)) {}

  Status Publish();

  const Options options;
  FilePublisher& publisher;
  const std::string path;
  BlockPipeline blocks;
  bool is_closed = false;
  Status error;
};

Status FileWriter::Impl::Publish() {
  ASSIGN_OR_RETURN(std::vector<DurableBlock> durable, blocks.Drain());
  SLIPSTREAM_FAILPOINT("dfs_client.before_publish");
  std::vector<FileAppend> files;
  files.push_back({.target = path,
                   .blocks = std::move(durable),
                   .close = true,
                   .replace = options.replace,
                   .mode = options.mode,
                   .replication = options.replication});
  return publisher.Publish(std::move(files));
}

FileWriter::FileWriter(const Options& options,
                       const Parts& parts,
                       std::string path,
                       std::string allocator)
    : impl_(std::make_unique<Impl>(options, parts, std::move(path), std::move(allocator))) {}

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
