#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock/manual_clock.h"
#include "common/fs/memory_file_system.h"
#include "dfs-datanode/replica_store.h"
#include "dfs-datanode/replica_writer.h"
#include "tests/unit/block/block_builder.h"

namespace slipstream::datanode {

// A block as a writer has it: small ones go into packs, large ones into files (see StoreOptions).
struct TestBlock {
  block::BlockMeta meta;
  std::string stored;

  block::BlockId id() const { return meta.identity.block_id; }
};

inline TestBlock MakeBlock(block::BlockId block_id, size_t raw_bytes) {
  const std::string raw = block::MakeRaw(raw_bytes, static_cast<uint32_t>(block_id), 80);
  block::EncodedBlock encoded = block::EncodeAll(raw);
  return {.meta = block::MetaOf(encoded, block_id), .stored = std::move(encoded.data)};
}

inline TestBlock SmallBlock(block::BlockId block_id) {
  return MakeBlock(block_id, 900);
}
inline TestBlock LargeBlock(block::BlockId block_id) {
  return MakeBlock(block_id, 9'000);
}

inline ReplicaStore::Options StoreOptions(const std::vector<DiskLocation>& disks) {
  return {.disks = {.disks = disks, .disk = {.pack_bytes_max = 8'192}},
          .packed_stored_bytes_max = 4'096};
}
inline ReplicaStore::Options StoreOptions(FileSystem& fs) {
  return StoreOptions({{.path = "/data", .fs = &fs}});
}

// Writes all of them as one stream does.
inline Status Write(ReplicaStore& store, const std::vector<TestBlock>& blocks) {
  std::unique_ptr<ReplicaWriter> writer = store.NewWriter();
  for (const TestBlock& block : blocks) {
    RETURN_IF_ERROR(writer->Begin(block.meta));
    const std::string_view stored = block.stored;
    const size_t half = stored.size() / 2;
    RETURN_IF_ERROR(writer->Append(stored.substr(0, half)));
    RETURN_IF_ERROR(writer->Append(stored.substr(half)));
  }
  return writer->Commit();
}

// All stored bytes of a replica, as a reader gets them.
inline Result<std::string> ReadAll(const ReplicaStore& store, block::BlockId block_id) {
  ASSIGN_OR_RETURN(ReplicaReader reader, store.Read(block_id));
  std::string all;
  std::string frame;
  for (size_t i = 0; i < reader.meta().frames.size(); ++i) {
    RETURN_IF_ERROR(reader.ReadFrame(i, frame));
    all += frame;
  }
  return all;
}

inline std::vector<block::BlockId> Ids(const ReplicaStore& store) {
  std::vector<block::BlockId> ids;
  for (const block::Identity& identity : store.List().replicas)
    ids.push_back(identity.block_id);
  return ids;
}

}  // namespace slipstream::datanode
