#include "dfs-datanode/replica_writer.h"

#include <utility>

#include <fmt/format.h>

#include "common/failpoint/failpoint.h"

namespace slipstream::datanode {
namespace {
constexpr uint64_t kPackedBytesMax = 8 << 20;
}  // namespace

ReplicaWriter::~ReplicaWriter() {
  open_.reset();
  sealed_.clear();
  // What cannot be removed now is garbage that the master finds in the next full report.
  for (block::BlockId block_id : flushed_)
    (void)store_.packs_->Remove(block_id);
  store_.Release(reserved_);
}

Status ReplicaWriter::Begin(block::BlockMeta meta) {
  if (open_ != nullptr) {
    return InvalidArgument(fmt::format("block id={} is cut off", open_->meta.identity.block_id));
  }
  RETURN_IF_ERROR(Validate(meta));
  const block::Identity identity = meta.identity;
  RETURN_IF_ERROR(store_.Reserve(identity));
  reserved_.insert(identity.block_id);
  auto open = std::make_unique<Open>(std::move(meta));
  if (identity.stored_bytes >= store_.options_.packed_stored_bytes_max) {
    ASSIGN_OR_RETURN(open->file, store_.blocks_->Begin(open->meta));
  } else {
    open->stored.reserve(identity.stored_bytes);
  }
  open_ = std::move(open);
  return {};
}

Status ReplicaWriter::Append(std::string_view stored) {
  if (open_ == nullptr) return InvalidArgument("data before its block, or after its end");
  RETURN_IF_ERROR(open_->verifier.Feed(stored));
  if (open_->file != nullptr) {
    RETURN_IF_ERROR(open_->file->Append(stored));
  } else {
    open_->stored.append(stored);
  }
  return open_->verifier.is_complete() ? FinishBlock() : Status();
}

Status ReplicaWriter::FinishBlock() {
  finished_.push_back(
      {.identity = open_->meta.identity,
       .home = open_->file != nullptr ? ReplicaStore::Home::kFile : ReplicaStore::Home::kPack});
  if (open_->file != nullptr) {
    RETURN_IF_ERROR(open_->file->Seal());
    sealed_.push_back(std::move(open_->file));
  } else {
    packed_bytes_ += open_->stored.size();
    packed_.push_back({.meta = open_->meta, .stored = std::move(open_->stored)});
  }
  open_.reset();
  return packed_bytes_ >= kPackedBytesMax ? FlushPacked() : Status();
}

Status ReplicaWriter::FlushPacked() {
  RETURN_IF_ERROR(store_.packs_->Put(packed_));
  for (const PackedBlock& block : packed_)
    flushed_.push_back(block.meta.identity.block_id);
  packed_.clear();
  packed_bytes_ = 0;
  return {};
}

Status ReplicaWriter::Commit() {
  if (open_ != nullptr) {
    return InvalidArgument(fmt::format("block id={} is cut off", open_->meta.identity.block_id));
  }
  RETURN_IF_ERROR(FlushPacked());
  RETURN_IF_ERROR(store_.blocks_->Publish(sealed_));
  SLIPSTREAM_FAILPOINT("datanode.write.after_sync");
  store_.Publish(finished_);
  flushed_.clear();
  sealed_.clear();
  reserved_.clear();
  finished_.clear();
  return {};
}

}  // namespace slipstream::datanode
