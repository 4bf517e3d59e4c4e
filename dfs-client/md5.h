#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace slipstream::dfs {

// MD5 (RFC 1321), for the checksum that HDFS makes with it; good for nothing that has an enemy.
// Threads: not thread-safe.
class Md5 final {
 public:
  static constexpr size_t kDigestBytes = 16;

  void Append(std::string_view data);
  // The digest of all that was appended, kDigestBytes long; as new afterwards.
  std::string Finish();

 private:
  static constexpr size_t kChunkBytes = 64;

  void AddChunk(const char* chunk);

  std::array<uint32_t, 4> state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  uint64_t length_bytes_ = 0;
  std::array<char, kChunkBytes> pending_{};  // the first length_bytes_ % kChunkBytes are used
};

}  // namespace slipstream::dfs
