#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "common/scratch/scratch_store.h"
#include "common/status/status.h"

namespace slipstream {

struct RocksDbScratchOptions {
  // Made if it is not there. Each store gets a folder of its own below it, which goes with it.
  std::filesystem::path dir;
  // Begins the folder's name. What a process that was killed has left under that name is removed.
  std::string name;
  // Half of it is what the owners of all spaces may keep in memory together, the rest buffers and
  // caches of the database. What is being written or read just now comes on top.
  size_t memory_bytes = size_t{256} << 20;  // 1 MiB at least
  // Instead of that half. 0: nothing stays in memory that can be out of it.
  std::optional<size_t> cache_bytes = std::nullopt;
};

// Scratch in a RocksDB without log and syncs.
// Errors  the folder cannot be made or written.
Result<std::unique_ptr<ScratchStore>> OpenRocksDbScratch(const RocksDbScratchOptions& options);

}  // namespace slipstream
