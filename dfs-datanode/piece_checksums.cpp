#include "dfs-datanode/piece_checksums.h"

#include <algorithm>
#include <utility>

#include "common/crc32c/crc32c.h"

namespace slipstream::datanode {

void PieceChecksums::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, std::min<size_t>(left_bytes_, bytes.size()));
    crc32c_ = ExtendCrc32c(crc32c_, part);
    is_filling_ = true;
    left_bytes_ -= static_cast<uint32_t>(part.size());
    bytes.remove_prefix(part.size());
    if (left_bytes_ == 0) EndPiece();
  }
}

void PieceChecksums::Finish() {
  if (is_filling_) EndPiece();
}

void PieceChecksums::EndPiece() {
  for (int shift = 24; shift >= 0; shift -= 8)
    checksums_.push_back(static_cast<char>(crc32c_ >> shift & 0xff));
  crc32c_ = 0;
  is_filling_ = false;
  left_bytes_ = piece_bytes_;
}

std::string PieceChecksums::Take() {
  return std::exchange(checksums_, {});
}

}  // namespace slipstream::datanode
