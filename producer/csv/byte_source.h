#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "common/status/status.h"

namespace slipstream::producer {

// ByteSource: bytes that are read once, front to back.
// Threads: one reader at a time. Read() blocks on the disk or pipe behind it.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Fills the front of `out` (not empty) and returns how many bytes that was: at least one, or 0
  // at the end. kDataLoss: what lies underneath is damaged or cut off.
  virtual Result<size_t> Read(std::span<char> out) = 0;
};

// The file's bytes, decompressed if they begin as gzip or zstd does: the name does not matter.
// Several compressed members or frames one after the other are read as one. "-" is standard input.
Result<std::unique_ptr<ByteSource>> OpenByteSource(const std::filesystem::path& path);

// Whether this process may read the file, found out without reading: a pipe gives its bytes once.
Status CheckReadable(const std::filesystem::path& path);

// As OpenByteSource, for bytes that come from elsewhere. Reads the first few of them at once.
Result<std::unique_ptr<ByteSource>> Decompress(std::unique_ptr<ByteSource> raw);

}  // namespace slipstream::producer
