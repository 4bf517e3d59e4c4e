#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/block/block.h"
#include "common/block/block_file.h"
#include "common/status/status.h"

// The bytes of a pack, as docs/FORMATS.md has them under "Packs". No I/O here.
//
// A pack is a sequence of records, each a skippable zstd frame; a record for a block is followed by
// the block's frames. A record holds the pack's salt, which is in the file's name, and the place it
// lies at: behind a damaged record the next one can be searched for, and no bytes that a user
// stored (a pack of another node, say) are taken for one.

namespace slipstream::datanode {

struct PackName {
  uint64_t number = 0;  // packs of a node are numbered in the order they were begun
  uint64_t salt = 0;    // random
};

std::string PackFileName(const PackName& name);
Result<PackName> ParsePackFileName(std::string_view file_name);

enum class PackRecordKind : uint16_t {
  kBlock = 1,     // the block's frames follow
  kDeletion = 2,  // of an earlier block in this pack
};

struct PackRecord {
  PackRecordKind kind = PackRecordKind::kDeletion;
  block::BlockId block_id = 0;
  block::BlockMeta meta;    // kBlock only
  size_t record_bytes = 0;  // of the skippable frame

  // With the block's frames.
  uint64_t total_bytes() const { return record_bytes + meta.identity.stored_bytes; }
};

inline constexpr size_t kPackRecordBytesMin = 44;
inline constexpr size_t kPackRecordBytesMax = 36 + block::kMetaRecordBytesMax;

// `offset` is where in the pack the record will lie.
std::string EncodePackBlock(const block::BlockMeta& meta, uint64_t salt, uint64_t offset);
std::string EncodePackDeletion(block::BlockId block_id, uint64_t salt, uint64_t offset);

// The record at the beginning of `bytes`, which were read from `offset` on (kPackRecordBytesMax of
// them are always enough). kDataLoss if there is none whole and right.
Result<PackRecord> ParsePackRecord(std::string_view bytes, uint64_t salt, uint64_t offset);

// Where in `bytes`, which were read from `offset` on, the first right record begins; npos if none.
size_t FindPackRecord(std::string_view bytes, uint64_t salt, uint64_t offset);

}  // namespace slipstream::datanode
