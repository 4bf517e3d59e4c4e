#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "dfs-client/file_types.h"
#include "dfs-client/md5.h"

namespace slipstream::dfs {

// HdfsChecksum: makes a file's checksum as HDFS with its defaults makes it, from CRC32Cs of the
// file's bytes.
//
// HDFS keeps the CRC32C of every 512 bytes (a chunk). A block's MD5 is that of its chunks' CRCs,
// big-endian, and the file's MD5 that of its blocks' MD5s. HDFS's block is 128 MiB of the file,
// whatever our own blocks are.
// Threads: not thread-safe.
class HdfsChecksum final {
 public:
  static constexpr uint32_t kChunkBytes = 512;
  static constexpr uint64_t kBlockBytes = 128ULL << 20;

  // The next `length_bytes` of the file, not reaching over the end of a chunk: > 0 and at most
  // room_bytes().
  void Add(uint32_t crc32c, uint32_t length_bytes);
  // How much of the present chunk is still to come.
  uint32_t room_bytes() const { return kChunkBytes - chunk_bytes_; }

  // After the last byte; once.
  FileChecksum Finish();

 private:
  void EndChunk();
  void EndBlock();

  uint32_t chunk_crc32c_ = 0;
  uint32_t chunk_bytes_ = 0;
  uint64_t block_chunks_ = 0;
  Md5 block_md5_;
  std::string block_digests_;
};

}  // namespace slipstream::dfs
