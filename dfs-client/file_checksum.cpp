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

// One block of the file: where it stands and what the datanode said.
struct BlockSums {
  ReplicaReader::Place place;
  LocatedBlock* located = nullptr;
  NodeClient::Pieces pieces;
  Result<std::vector<uint32_t>> sums = Unavailable("");
};

// So that no piece reaches over the end of a chunk of the file.
NodeClient::Pieces PiecesAt(uint64_t file_offset_bytes) {
  const auto inside = static_cast<uint32_t>(file_offset_bytes % HdfsChecksum::kChunkBytes);
  return {.first_bytes = HdfsChecksum::kChunkBytes - inside, .bytes = HdfsChecksum::kChunkBytes};
}

void AddBlock(const BlockSums& block, HdfsChecksum& checksum) {
  uint64_t rest = block.located->length_bytes;
  for (const uint32_t crc32c : *block.sums) {
    const auto piece = static_cast<uint32_t>(std::min<uint64_t>(rest, checksum.room_bytes()));
    checksum.Add(crc32c, piece);
    rest -= piece;
  }
}

}  // namespace

Result<FileChecksum> ChecksumFile(ReplicaReader& replicas,
                                  MasterClient& master,
                                  WorkerPool& pool,
                                  FileBlocks blocks,
                                  const std::stop_token& stop) {
  const FileStatus file = blocks.status;
  HdfsChecksum checksum;
  for (uint64_t offset = 0; offset < file.length_bytes;) {
    if (blocks.first_block_offset_bytes != offset || blocks.blocks.empty()) {
      return FailedPrecondition("the file was changed while its checksum was computed");
    }
    for (size_t begin = 0; begin < blocks.blocks.size() && offset < file.length_bytes;) {
      std::vector<BlockSums> group;
      for (; group.size() < kBlocksAtATime && begin < blocks.blocks.size(); ++begin) {
        LocatedBlock& located = blocks.blocks[begin];
        group.push_back({.place = {.inode_id = file.inode_id, .block_offset_bytes = offset},
                         .located = &located,
                         .pieces = PiecesAt(offset)});
        offset += located.length_bytes;
      }
      pool.ForEach(group.size(), kParallelism, [&](size_t i) {
        BlockSums& block = group[i];
        const NodeClient::Range whole{.offset = 0, .length = block.located->length_bytes};
        block.sums = replicas.Checksum(block.place, *block.located, whole, block.pieces, stop);
      });
      for (const BlockSums& block : group) {
        RETURN_IF_ERROR(block.sums.status());
        AddBlock(block, checksum);
      }
    }
    if (offset >= file.length_bytes) break;
    ASSIGN_OR_RETURN(blocks, master.LocateBlocks(file.inode_id, offset));
  }
  return checksum.Finish();
}

}  // namespace slipstream::dfs
