#include "dfs-master/block_loader.h"

#include <utility>

namespace slipstream::dfs::master {

Status BlockLoader::Begin(const KeyValueStore& store) {
  snapshot_ = store.Snapshot();
  blocks_.BeginLoad();
  Status damage;
  RETURN_IF_ERROR(
      snapshot_->Scan(Table::kPrepared, "", "", [&](std::string_view, std::string_view value) {
        Candidate candidate;
        damage = Decode(value, candidate);
        if (!damage.ok()) return false;
        for (const PreparedShare& share : candidate.shares) {
          for (const FileBlock& entry : share.blocks)
            blocks_.Load(entry, false);
        }
        return true;
      }));
  return damage;
}

Result<BlockLoader::Batch> BlockLoader::Read(size_t limit) {
  Batch batch{.blocks = {}, .is_last = true};
  batch.blocks.reserve(limit);
  Status damage;
  RETURN_IF_ERROR(snapshot_->Scan(
      Table::kFileBlocks, next_key_, "", [&](std::string_view key, std::string_view value) {
        if (batch.blocks.size() == limit) {
          next_key_ = key;
          batch.is_last = false;
          return false;
        }
        damage = Decode(value, batch.blocks.emplace_back());
        return damage.ok();
      }));
  RETURN_IF_ERROR(damage);
  return batch;
}

void BlockLoader::Take(const Batch& batch) {
  for (const FileBlock& block : batch.blocks)
    blocks_.Load(block, true);
  loaded_blocks_ += batch.blocks.size();
  if (!batch.is_last) return;
  blocks_.EndLoad();
  snapshot_.reset();
}

}  // namespace slipstream::dfs::master
