#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace slipstream::dfs {

// The file system's nouns as its clients see them; proto/dfs_master.proto says what they mean on
// the wire. Plain values without any generated type.

enum class FileKind { kFile, kDirectory };

// Limits on what lies below a directory, itself included, and how much that is now.
struct Quota {
  uint64_t names_max = 0;        // 0: no limit
  uint64_t space_max_bytes = 0;  // over all replicas, stored; 0: no limit
  uint64_t names = 0;
  uint64_t space_bytes = 0;

  friend bool operator==(const Quota&, const Quota&) = default;
};

struct FileStatus {
  std::string name;  // last path component; empty for the root
  uint64_t inode_id = 0;
  FileKind kind = FileKind::kFile;
  uint64_t length_bytes = 0;  // committed, before compression
  uint64_t stored_bytes = 0;  // of one replica
  uint32_t block_count = 0;
  uint32_t replication = 0;
  int64_t modified_at_ms = 0;  // since 1970 UTC
  std::string owner;
  std::string group;
  uint32_t mode = 0;   // permission bits, up to 07777
  std::string writer;  // the appender that owns it, if any
  uint64_t child_count = 0;
  int64_t accessed_at_ms = 0;  // set by users only: reading does not change it
  std::optional<Quota> quota;  // of a directory that has one
  // How often the file was cut: while it stays the same, what was at an offset once is there yet.
  uint64_t truncation_count = 0;
};

// What may be asked for of a path, together: the bits of one class of a mode.
constexpr uint32_t kMaySearch = 1;
constexpr uint32_t kMayWrite = 2;
constexpr uint32_t kMayRead = 4;

// What is absent stays as it is.
struct AttributeChange {
  std::optional<std::string> owner;
  std::optional<std::string> group;
  std::optional<uint32_t> mode;  // permission bits, up to 07777
  std::optional<int64_t> modified_at_ms;
  std::optional<int64_t> accessed_at_ms;
};

// What the master goes by, where a client does not say otherwise.
struct Defaults {
  uint32_t replication = 0;
  uint32_t min_replicas = 0;
  std::chrono::milliseconds trash_interval{0};  // 0: no trash
  std::string version;
};

// A file's checksum as HDFS computes and shows it.
struct FileChecksum {
  std::string algorithm;  // "MD5-of-0MD5-of-512CRC32C"
  std::string bytes;      // 28 of them, raw; HDFS's tools print them in hexadecimal

  friend bool operator==(const FileChecksum&, const FileChecksum&) = default;
};

// A small file for PutFiles: `content` is borrowed for the call.
struct NewFile {
  std::string path;
  std::string_view content;
};

struct Block {
  uint64_t block_id = 0;
  uint64_t raw_bytes = 0;
  uint64_t stored_bytes = 0;
  uint32_t crc32c = 0;

  friend bool operator==(const Block&, const Block&) = default;
};

// A datanode as others reach it.
struct NodeAddress {
  std::string node_id;  // minted once, kept in the node's data directory
  std::string address;  // HOST:PORT

  friend bool operator==(const NodeAddress&, const NodeAddress&) = default;
};

// A block of a file and who has it.
struct LocatedBlock {
  Block block;
  std::vector<NodeAddress> nodes;             // that reported a good replica; may be empty
  std::vector<std::string> missing_node_ids;  // with no node live: the last known holders
  // How much of the block's beginning belongs to the file: less than all of it after a truncation.
  uint64_t length_bytes = 0;
  std::string token;  // shown to whom it is read from; empty where none is asked for
};

// Leave to write blocks whose ids follow one another, given with them.
struct WriteGrant {
  uint64_t first_block_id = 0;
  uint32_t count = 0;
  std::string token;  // empty where none is asked for
};

// Consecutive blocks of one file.
struct FileBlocks {
  FileStatus status;
  uint64_t first_block_offset_bytes = 0;  // where in the file blocks[0] begins
  std::vector<LocatedBlock> blocks;
};

// A page of a directory.
struct DirectoryPage {
  std::vector<FileStatus> entries;  // by name, bytewise
  bool has_more = false;
};

// A block that WriteBlocks made durable, and where.
struct DurableBlock {
  Block block;
  std::vector<std::string> holder_node_ids;
};

// An epoch's number and the number the master gave the attempt; {0, 0}: none yet.
struct EpochPair {
  uint64_t epoch = 0;
  uint64_t incarnation = 0;

  friend bool operator==(const EpochPair&, const EpochPair&) = default;
};

struct AppenderState {
  uint64_t incarnation = 0;
  EpochPair committed;
  std::vector<EpochPair> prepared;
};

// One share of an epoch: blocks that go to the end of one file.
struct FileAppend {
  std::variant<uint64_t, std::string> target;  // inode id, or a path that does not exist yet
  uint64_t expected_length_bytes = 0;          // before this epoch
  std::vector<DurableBlock> blocks;
  bool close = false;        // with the commit the appender gives the file up
  bool replace = false;      // a new path may exist; what is there gives way at the commit
  uint32_t mode = 0;         // of a new file; 0: 0644
  uint32_t replication = 0;  // of a new file; 0: the master's default
};

struct AppenderEpoch {
  std::string owner;
  uint64_t incarnation = 0;
  uint64_t epoch = 0;
  EpochPair committed;  // the owner's last committed pair; carried out first
  std::vector<FileAppend> files;
};

struct PreparedEpoch {
  std::vector<uint64_t> inode_ids;   // one for each file
  std::vector<uint32_t> lost_files;  // indexes of files that a user deleted meanwhile
};

struct AppenderCommit {
  std::string owner;
  EpochPair pair;
};

}  // namespace slipstream::dfs
