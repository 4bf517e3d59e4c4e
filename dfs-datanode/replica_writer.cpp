#include "dfs-datanode/replica_writer.h"

#include <utility>

#include <fmt/format.h>

#include "common/block/block_file.h"
#include "common/failpoint/failpoint.h"

namespace slipstream::datanode {
namespace {
constexpr uint64_t kPackedBytesMax = 8 << 20;
}  // namespace

ReplicaWriter::~ReplicaWriter() {
  open_.reset();
  sealed_.clear();
  // What cannot be removed now is garbage that the master finds in the next full report.
  for (const ReplicaStore::Replica& replica : placed_)
    (void)store_.RemoveFromDisk(replica);
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
  const bool is_large = identity.stored_bytes >= store_.options_.packed_stored_bytes_max;
  RETURN_IF_ERROR(is_large ? BeginFile(*open) : BeginPacked(*open));
  open_ = std::move(open);
  return {};
}

Status ReplicaWriter::BeginFile(Open& open) {
  ASSIGN_OR_RETURN(DiskSet::Place place, store_.disks_->Reserve(BlockFileBytes(open.meta)));
  open.disk_index = place.disk_index;
  holds_.push_back(std::move(place.hold));
  ASSIGN_OR_RETURN(open.file, store_.disks_->disk(open.disk_index).blocks().Begin(open.meta));
  return {};
}

Status ReplicaWriter::BeginPacked(Open& open) {
  const uint64_t bytes = open.meta.identity.stored_bytes + EncodePackBlock(open.meta, 0, 0).size();
  if (!packed_.empty()) {
    Result<Disk::Hold> hold = store_.disks_->disk(packed_disk_index_).Reserve(bytes);
    if (!hold.ok()) {
      // Full; the next ones go elsewhere.
      RETURN_IF_ERROR(FlushPacked());
    } else {
      holds_.push_back(std::move(*hold));
    }
  }
  if (packed_.empty()) {
    ASSIGN_OR_RETURN(DiskSet::Place place, store_.disks_->Reserve(bytes));
    packed_disk_index_ = place.disk_index;
    holds_.push_back(std::move(place.hold));
  }
  open.disk_index = packed_disk_index_;
  open.stored.reserve(open.meta.identity.stored_bytes);
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
  const bool is_file = open_->file != nullptr;
  finished_.push_back({.identity = open_->meta.identity,
                       .disk_index = static_cast<uint16_t>(open_->disk_index),
                       .home = is_file ? ReplicaStore::Home::kFile : ReplicaStore::Home::kPack});
  if (is_file) {
    RETURN_IF_ERROR(open_->file->Seal());
    sealed_[open_->disk_index].push_back(std::move(open_->file));
  } else {
    packed_bytes_ += open_->stored.size();
    packed_.push_back({.meta = open_->meta, .stored = std::move(open_->stored)});
  }
  open_.reset();
  return packed_bytes_ >= kPackedBytesMax ? FlushPacked() : Status();
}

Status ReplicaWriter::FlushPacked() {
  if (packed_.empty()) return {};
  RETURN_IF_ERROR(store_.disks_->disk(packed_disk_index_).packs().Put(packed_));
  for (const PackedBlock& block : packed_) {
    placed_.push_back({.identity = block.meta.identity,
                       .disk_index = static_cast<uint16_t>(packed_disk_index_),
                       .home = ReplicaStore::Home::kPack});
  }
  packed_.clear();
  packed_bytes_ = 0;
  return {};
}

Status ReplicaWriter::Commit() {
  if (open_ != nullptr) {
    return InvalidArgument(fmt::format("block id={} is cut off", open_->meta.identity.block_id));
  }
  RETURN_IF_ERROR(FlushPacked());
  for (const auto& [disk_index, writers] : sealed_) {
    RETURN_IF_ERROR(store_.disks_->disk(disk_index).blocks().Publish(writers));
    for (const ReplicaStore::Replica& replica : finished_) {
      if (replica.home == ReplicaStore::Home::kFile && replica.disk_index == disk_index) {
        placed_.push_back(replica);
      }
    }
  }
  SLIPSTREAM_FAILPOINT("datanode.write.after_sync");
  RETURN_IF_ERROR(store_.Publish(finished_));
  placed_.clear();
  sealed_.clear();
  reserved_.clear();
  finished_.clear();
  holds_.clear();
  return {};
}

}  // namespace slipstream::datanode
