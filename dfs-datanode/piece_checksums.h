#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace slipstream::datanode {

// PieceChecksums: the CRC32C of each piece of a run of bytes, as HDFS keeps them beside a block.
// Threads: not thread-safe.
class PieceChecksums final {
 public:
  struct Options {
    uint32_t first_piece_bytes = 512;  // > 0
    uint32_t piece_bytes = 512;        // > 0; of all others but the last
  };

  explicit PieceChecksums(const Options& options)
      : piece_bytes_(options.piece_bytes), left_bytes_(options.first_piece_bytes) {}

  void Append(std::string_view bytes);
  // After the last byte: what remains is a piece, too.
  void Finish();

  // Of the pieces complete since the last Take(): four bytes each, big-endian.
  std::string Take();
  size_t pending_bytes() const { return checksums_.size(); }

 private:
  void EndPiece();

  const uint32_t piece_bytes_;
  uint32_t left_bytes_;  // of the piece that is being filled
  bool is_filling_ = false;
  uint32_t crc32c_ = 0;
  std::string checksums_;
};

}  // namespace slipstream::datanode
