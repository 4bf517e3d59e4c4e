#include "dfs-client/hdfs_checksum.h"

#include <algorithm>
#include <concepts>

#include <fmt/format.h>

#include "common/check/check.h"
#include "common/crc32c/crc32c.h"

namespace slipstream::dfs {
namespace {

// HDFS digests the whole buffer that it collects the blocks' MD5s in, which begins with this many
// bytes, doubles as it fills, and has zeros where nothing was written yet.
constexpr size_t kDigestBufferBytesMin = 32;

template <std::unsigned_integral T>
void AppendBigEndian(std::string& out, T value) {
  for (size_t i = sizeof(T); i-- > 0;)
    out.push_back(static_cast<char>(value >> (8 * i)));
}

}  // namespace

void HdfsChecksum::Add(uint32_t crc32c, uint32_t length_bytes) {
  SLIPSTREAM_CHECK(length_bytes > 0 && length_bytes <= room_bytes(), "length={}", length_bytes);
  chunk_crc32c_ = chunk_bytes_ == 0 ? crc32c : CombineCrc32c(chunk_crc32c_, crc32c, length_bytes);
  chunk_bytes_ += length_bytes;
  if (chunk_bytes_ == kChunkBytes) EndChunk();
}

void HdfsChecksum::EndChunk() {
  std::string bytes;
  AppendBigEndian(bytes, chunk_crc32c_);
  block_md5_.Append(bytes);
  chunk_bytes_ = 0;
  if (++block_chunks_ == kBlockBytes / kChunkBytes) EndBlock();
}

void HdfsChecksum::EndBlock() {
  block_digests_ += block_md5_.Finish();
  block_chunks_ = 0;
}

FileChecksum HdfsChecksum::Finish() {
  if (chunk_bytes_ > 0) EndChunk();
  if (block_chunks_ > 0) EndBlock();
  const bool is_empty = block_digests_.empty();
  // Chunks a block has, said only of files of more than one.
  const bool is_one_block = block_digests_.size() <= Md5::kDigestBytes;
  const uint64_t chunks_per_block = is_one_block ? 0 : kBlockBytes / kChunkBytes;
  const uint32_t chunk_bytes = is_empty ? 0 : kChunkBytes;

  size_t buffer_bytes = kDigestBufferBytesMin;
  while (buffer_bytes < block_digests_.size())
    buffer_bytes *= 2;
  block_digests_.resize(buffer_bytes, '\0');
  Md5 file_md5;
  file_md5.Append(block_digests_);

  FileChecksum checksum;
  // Of an empty file HDFS does not know which CRC it would have had.
  checksum.algorithm = fmt::format(
      "MD5-of-{}MD5-of-{}{}", chunks_per_block, chunk_bytes, is_empty ? "CRC32" : "CRC32C");
  AppendBigEndian(checksum.bytes, chunk_bytes);
  AppendBigEndian(checksum.bytes, chunks_per_block);
  checksum.bytes += file_md5.Finish();
  return checksum;
}

}  // namespace slipstream::dfs
