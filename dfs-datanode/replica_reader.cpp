#include "dfs-datanode/replica_reader.h"

#include <utility>

#include <fmt/format.h>

#include "common/check/check.h"
#include "common/crc32c/crc32c.h"

namespace slipstream::datanode {

ReplicaReader::ReplicaReader(std::unique_ptr<File> file,
                             uint64_t data_offset,
                             block::BlockMeta meta)
    : file_(std::move(file)), meta_(std::move(meta)) {
  frame_offsets_.reserve(meta_.frames.size());
  for (const block::Frame& frame : meta_.frames) {
    frame_offsets_.push_back(data_offset);
    data_offset += frame.stored_bytes;
  }
}

Status ReplicaReader::ReadFrame(size_t frame_index, std::string& out) const {
  SLIPSTREAM_CHECK(frame_index < meta_.frames.size(), "frame={}", frame_index);
  const block::Frame& frame = meta_.frames[frame_index];
  out.resize(frame.stored_bytes);
  ASSIGN_OR_RETURN(size_t size, file_->Read(frame_offsets_[frame_index], out.data(), out.size()));
  if (size != out.size() || Crc32c(out) != frame.crc32c) {
    return DataLoss(fmt::format("block id={} frame={}: {}",
                                meta_.identity.block_id,
                                frame_index,
                                size != out.size() ? "cut off" : "crc32c does not match"));
  }
  return {};
}

Status ReplicaReader::VerifyFrames() const {
  std::string stored;
  for (size_t i = 0; i < meta_.frames.size(); ++i)
    RETURN_IF_ERROR(ReadFrame(i, stored));
  return {};
}

}  // namespace slipstream::datanode
