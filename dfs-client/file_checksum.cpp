#include "dfs-client/file_checksum.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "dfs-client/hdfs_checksum.h"
#include "dfs-client/master_client.h"
#include "dfs-client/worker_pool.h"

namespace slipstream::dfs {
namespace {

// Blocks asked for at a time. The checksums of one take up to 512 KiB.
constexpr size_t kBlocksAtATime = 16;
constexpr size_t kParallelism = 4;
// How often blocks may be found replaced by another that they were merged into.
constexpr int kReplacedMax = 100;

// A block's part of the file: where it stands and what the datanode said.
struct BlockSums {
  ReplicaReader::Place place;
  LocatedBlock* located = nullptr;
  NodeClient::Range range;  // in the block
  NodeClient::Pieces pieces;
  Result<std::vector<uint32_t>> sums = Unavailable("");
};

// So that no piece reaches over the end of a chunk of the file.
NodeClient::Pieces PiecesAt(uint64_t file_offset_bytes) {
  const auto inside = static_cast<uint32_t>(file_offset_bytes % HdfsChecksum::kChunkBytes);
  return {.first_bytes = HdfsChecksum::kChunkBytes - inside, .bytes = HdfsChecksum::kChunkBytes};
}

void AddBlock(const BlockSums& block, HdfsChecksum& checksum) {
  uint64_t rest = block.range.length;
  for (const uint32_t crc32c : *block.sums) {
    const auto piece = static_cast<uint32_t>(std::min<uint64_t>(rest, checksum.room_bytes()));
    checksum.Add(crc32c, piece);
    rest -= piece;
  }
}

// The next parts of the file from `offset_bytes` on, which lies in one of the blocks or at their
// end; none at their end.
std::vector<BlockSums> NextGroup(const FileStatus& file,
                                 FileBlocks& blocks,
                                 uint64_t offset_bytes) {
  std::vector<BlockSums> group;
  uint64_t block_begin = blocks.first_block_offset_bytes;
  for (LocatedBlock& located : blocks.blocks) {
    if (group.size() == kBlocksAtATime) break;
    const uint64_t block_end = block_begin + located.length_bytes;
    const uint64_t end = std::min(block_end, file.length_bytes);
    if (offset_bytes < end) {
      group.push_back(
          {.place = {.inode_id = file.inode_id, .block_offset_bytes = block_begin},
           .located = &located,
           .range = {.offset = offset_bytes - block_begin, .length = end - offset_bytes},
           .pieces = PiecesAt(offset_bytes)});
      offset_bytes = end;
    }
    block_begin = block_end;
  }
  return group;
}

Result<FileBlocks> LocateAgain(MasterClient& master,
                               const FileStatus& file,
                               uint64_t offset_bytes) {
  Result<FileBlocks> blocks = master.LocateBlocks(file.inode_id, offset_bytes);
  const bool is_cut = blocks.status().code() == Code::kOutOfRange ||
                      (blocks.ok() && (blocks->status.truncation_count != file.truncation_count ||
                                       blocks->first_block_offset_bytes > offset_bytes ||
                                       NextGroup(file, *blocks, offset_bytes).empty()));
  if (!is_cut) return blocks;
  return FailedPrecondition("the file was changed while its checksum was computed");
}

}  // namespace

Result<FileChecksum> ChecksumFile(ReplicaReader& replicas,
                                  MasterClient& master,
                                  WorkerPool& pool,
                                  FileBlocks blocks,
                                  const std::stop_token& stop) {
  const FileStatus file = blocks.status;
  HdfsChecksum checksum;
  int replaced = 0;
  for (uint64_t offset = 0; offset < file.length_bytes;) {
    std::vector<BlockSums> group = NextGroup(file, blocks, offset);
    pool.ForEach(group.size(), kParallelism, [&](size_t i) {
      BlockSums& block = group[i];
      block.sums = replicas.Checksum(block.place, *block.located, block.range, block.pieces, stop);
    });
    // After the last block that is known, or at one that is another by now, the master is asked.
    bool is_stuck = group.empty();
    for (const BlockSums& block : group) {
      is_stuck = block.sums.status().code() == Code::kAborted && ++replaced <= kReplacedMax;
      if (is_stuck) break;
      RETURN_IF_ERROR(block.sums.status());
      AddBlock(block, checksum);
      offset += block.range.length;
    }
    if (is_stuck) {
      ASSIGN_OR_RETURN(blocks, LocateAgain(master, file, offset));
    }
  }
  return checksum.Finish();
}

}  // namespace slipstream::dfs
