#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/block/block.h"
#include "common/status/status.h"

// The bytes of a replica on disk, as docs/FORMATS.md has them under "Blocks". No I/O here.
//
//   <id>.zst   header frame (skippable, holds a meta record) | zstd frames | seek table (skippable)
//   <id>.meta  the same meta record, alone
//
// Header and seek table follow from the block's meta, so a replica is checked by making them again
// and comparing: there is no byte of the file that could change unnoticed.

namespace slipstream::block {

// ---- The meta record: a block's identity, its frames, and a CRC32C over both ----

inline constexpr size_t kMetaRecordBytesMax = 44 + 12 * size_t{kFramesPerBlockMax};

// `meta` must be valid (Validate).
std::string EncodeMetaRecord(const BlockMeta& meta);

// Exactly one record. kDataLoss if a byte of it is wrong, missing or too many, or if what it says
// is not a valid block.
Result<BlockMeta> ParseMetaRecord(std::string_view record);

// ---- The header frame ----

inline constexpr size_t kSkippableHeadBytes = 8;  // magic number and length
inline constexpr size_t kHeaderFrameBytesMax = kSkippableHeadBytes + kMetaRecordBytesMax;

std::string EncodeHeaderFrame(const BlockMeta& meta);
size_t HeaderFrameBytes(const BlockMeta& meta);

// The length of the header frame that begins with these kSkippableHeadBytes bytes; kDataLoss if
// none does.
Result<size_t> HeaderFrameBytesFromHead(std::string_view head);

// Exactly one header frame; errors as ParseMetaRecord.
Result<BlockMeta> ParseHeaderFrame(std::string_view frame);

// ---- The whole file ----

// The table for other tools (zstd's seekable format 0.1.0). We never read it.
std::string EncodeSeekTable(const BlockMeta& meta);

// Length of the <id>.zst of a block.
uint64_t BlockFileBytes(const BlockMeta& meta);

// The directory a block lies in, so that none gets too many files: "2a" for 0x…2aff. Blocks of one
// write have consecutive ids, so that most of them share a directory and its one fsync.
std::string BlockDirectoryName(BlockId block_id);
// 16 lower-case hexadecimal digits, without an extension.
std::string BlockFileName(BlockId block_id);
// The reverse; kInvalidArgument for any other name.
Result<BlockId> ParseBlockFileName(std::string_view name);

}  // namespace slipstream::block
