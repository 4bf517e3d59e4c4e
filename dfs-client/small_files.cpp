#include "dfs-client/small_files.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/block/encoded_block.h"
#include "dfs-client/block_writer.h"
#include "dfs-client/dfs_client.h"
#include "dfs-client/file_publisher.h"

namespace slipstream::dfs {
namespace {

// Paths travel in one message with the blocks; a fourth of what a message may hold.
constexpr size_t kPathBytesMax = size_t{2} << 20;

Status CheckBounds(std::span<const NewFile> files) {
  size_t path_bytes = 0;
  uint64_t content_bytes = 0;
  for (const NewFile& file : files) {
    if (file.content.size() > block::kBlockRawBytesMax) {
      return InvalidArgument(fmt::format("file {} of {} bytes: too long for this call",
                                         file.path.substr(0, 200),
                                         file.content.size()));
    }
    path_bytes += file.path.size();
    content_bytes += file.content.size();
  }
  if (files.size() > DfsClient::kPutFilesMax || path_bytes > kPathBytesMax ||
      content_bytes > DfsClient::kPutFilesBytesMax) {
    return InvalidArgument(
        fmt::format("{} files of {} bytes together, their paths {} bytes: too "
                    "many for one call",
                    files.size(),
                    content_bytes,
                    path_bytes));
  }
  return {};
}

}  // namespace

Status PutSmallFiles(FilePublisher& publisher,
                     BlockWriter& blocks,
                     std::span<const NewFile> files,
                     const FileWriter::Options& options,
                     const std::string& allocator) {
  RETURN_IF_ERROR(CheckBounds(files));
  if (files.empty()) return {};

  block::FrameCompressor compressor(options.compression_level);
  block::BlockEncoder encoder(compressor);
  std::vector<block::EncodedBlock> encoded;
  encoded.reserve(files.size());
  for (const NewFile& file : files) {
    if (file.content.empty()) continue;
    RETURN_IF_ERROR(encoder.Append(file.content));
    encoded.push_back(encoder.Finish());
  }
  std::vector<const block::EncodedBlock*> outgoing;
  outgoing.reserve(encoded.size());
  for (const block::EncodedBlock& block : encoded)
    outgoing.push_back(&block);
  ASSIGN_OR_RETURN(std::vector<DurableBlock> durable, blocks.Write(allocator, outgoing));

  std::vector<FileAppend> appends;
  appends.reserve(files.size());
  auto next = durable.begin();
  for (const NewFile& file : files) {
    FileAppend& append = appends.emplace_back();
    append.target = file.path;
    append.close = true;
    append.replace = options.replace;
    append.mode = options.mode;
    append.replication = options.replication;
    if (!file.content.empty()) append.blocks.push_back(std::move(*next++));
  }
  return publisher.Publish(std::move(appends));
}

}  // namespace slipstream::dfs
