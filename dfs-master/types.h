#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock/clock.h"

// What the master's classes tell one another and their callers: plain values, free of sockets,
// threads, clocks and generated code. proto/dfs_master.proto describes the same on the wire.

namespace slipstream::dfs::master {

using InodeId = uint64_t;
using BlockId = uint64_t;

constexpr InodeId kNoInode = 0;
constexpr InodeId kRootInode = 1;

constexpr uint32_t kBlockRawBytesMax = 64U << 20;
// zstd's worst case for incompressible data, with room for frame headers and checksums.
constexpr uint32_t kBlockStoredBytesMax = kBlockRawBytesMax + (1U << 20);

constexpr uint32_t kReplicationMax = 16;

// Both clocks, read once per request: steady for durations, wall for what people see.
struct Now {
  SteadyTime steady;
  WallTime wall;

  int64_t wall_ms() const { return wall.time_since_epoch().count(); }
};

// Identity and content of a block; a replica counts only if all of it agrees.
struct Block {
  BlockId id = 0;
  uint32_t raw_bytes = 0;
  uint32_t stored_bytes = 0;
  uint32_t crc32c = 0;  // of the stored bytes

  friend bool operator==(const Block&, const Block&) = default;
};

// A writer's commit number, and the number the master gave to the attempt. Zero: none.
struct EpochPair {
  uint64_t epoch = 0;
  uint64_t incarnation = 0;

  bool is_none() const { return epoch == 0 && incarnation == 0; }
  std::string ToString() const { return std::to_string(epoch) + "/" + std::to_string(incarnation); }
  friend auto operator<=>(const EpochPair&, const EpochPair&) = default;
};

// Half-open: [first, first + count).
struct BlockIdRange {
  BlockId first = 0;
  uint64_t count = 0;

  BlockId end() const { return first + count; }
};

enum class FileKind : uint8_t { kFile = 1, kDirectory = 2 };

// What an operator wants of a datanode. A store has the numbers.
enum class NodeService : uint8_t {
  kInService = 0,
  kDecommissioning = 1,  // its blocks are copied elsewhere
  kDecommissioned = 2,   // done: it may be switched off
  kMaintenance = 3,      // gets no new blocks; its silence makes no copies
};

// Owner, group and permission bits of a new file or directory. A mode of 0 is the usual one.
struct Attributes {
  std::string owner;
  std::string group;
  uint32_t mode = 0;
};

// What is absent stays as it is.
struct AttributeChange {
  std::optional<std::string> owner;
  std::optional<std::string> group;
  std::optional<uint32_t> mode;
  std::optional<int64_t> modified_at_ms;
  std::optional<int64_t> accessed_at_ms;
};

// What counts against quotas. Signed: also what comes and goes.
struct Usage {
  int64_t names = 0;        // files and directories
  int64_t space_bytes = 0;  // stored, over all the replicas wanted

  bool is_none() const { return names == 0 && space_bytes == 0; }
  Usage& operator+=(const Usage& other) {
    names += other.names;
    space_bytes += other.space_bytes;
    return *this;
  }
  Usage operator-() const { return {.names = -names, .space_bytes = -space_bytes}; }
  friend bool operator==(const Usage&, const Usage&) = default;
};

// The quota of a directory as people see it: what is promised to writers counts as used.
struct QuotaStatus {
  uint64_t names_max = 0;        // 0: no limit
  uint64_t space_max_bytes = 0;  // 0: no limit
  Usage used;
  bool is_counting = false;  // `used` is not complete yet
};

struct FileStatus {
  std::string name;
  InodeId id = kNoInode;
  FileKind kind = FileKind::kFile;
  uint64_t length_bytes = 0;
  uint64_t stored_bytes = 0;
  uint32_t block_count = 0;
  uint32_t replication = 0;
  int64_t modified_at_ms = 0;
  int64_t accessed_at_ms = 0;
  std::string owner;
  std::string group;
  uint32_t mode = 0;
  std::string writer;
  uint64_t child_count = 0;
  uint64_t truncation_count = 0;
  std::optional<QuotaStatus> quota;
};

struct Listing {
  std::vector<FileStatus> entries;
  bool has_more = false;
};

// A copy of the master's store.
struct BackupInfo {
  uint64_t log_position = 0;  // everything up to here is in it
  uint64_t bytes = 0;
  int64_t made_at_ms = 0;  // since 1970 UTC
};

}  // namespace slipstream::dfs::master
