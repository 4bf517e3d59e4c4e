#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/types.h"

// What stands in the master's tables. Every value begins with its format's version, so that a
// later one can be told from it; docs/FORMATS.md has the bytes.

namespace slipstream::dfs::master {

constexpr uint64_t kStoreFormatVersion = 1;

// A number for a node's id, given once, which takes less room than the id.
using NodeNumber = uint16_t;

// A file or directory. Table kInodes, or kOrphans once it is cut off.
struct Inode {
  InodeId id = kNoInode;
  InodeId parent = kNoInode;  // from the key
  std::string name;           // from the key
  FileKind kind = FileKind::kFile;
  uint64_t length_bytes = 0;
  uint64_t stored_bytes = 0;
  uint32_t block_count = 0;
  uint32_t replication = 0;
  int64_t modified_at_ms = 0;
  Attributes attributes;
  std::string writer;    // the appender whose commits go on in this file; empty: none
  std::string claimant;  // the appender that has candidates with a share for it; empty: none
  uint32_t claims = 0;   // how many such candidates
  uint64_t child_count = 0;

  bool is_directory() const { return kind == FileKind::kDirectory; }
};

// A block of a file, and who acknowledged it when it was prepared: the hint that fsck falls back
// on when no holder is there. Table kFileBlocks.
struct FileBlock {
  Block block;
  uint32_t replication = 0;
  std::vector<NodeNumber> first_holders;
};

// A writer. Table kAppenders.
struct Appender {
  struct Candidate {
    EpochPair pair;
    int64_t prepared_at_ms = 0;
  };

  uint64_t incarnation = 0;  // the newest given
  EpochPair committed;
  std::vector<Candidate> candidates;
  // Of the epoch committed last, so that its Prepare, sent again, is answered as it was.
  uint64_t committed_content_hash = 0;
  std::vector<InodeId> committed_inodes;
  std::vector<uint32_t> committed_lost_files;
  // Commits with its Prepare and so has nothing to come back for: forgotten after a while.
  bool is_self_committing = false;
  int64_t touched_at_ms = 0;
};

// One epoch's share of one file, bound at Prepare to inodes.
struct PreparedShare {
  enum class Kind : uint8_t { kExisting = 1, kNew = 2, kLost = 3 };

  Kind kind = Kind::kLost;
  InodeId inode = kNoInode;   // of a new file: the number it will have
  InodeId parent = kNoInode;  // of a new file
  std::string name;           // of a new file
  uint64_t expected_length_bytes = 0;
  std::vector<FileBlock> blocks;
  bool is_closing = false;
  bool is_replacing = false;
  Attributes attributes;
};

// An epoch that stands prepared. Table kPrepared.
struct Candidate {
  EpochPair base;  // what was committed when it was prepared
  uint64_t content_hash = 0;
  std::vector<PreparedShare> shares;
};

// Sums over the tree, orphans excluded. Table kMeta.
struct Totals {
  uint64_t files = 0;
  uint64_t directories = 0;
  uint64_t blocks = 0;
  uint64_t raw_bytes = 0;
  uint64_t stored_bytes = 0;
};

std::string Encode(const Inode& inode);
std::string Encode(const FileBlock& block);
std::string Encode(const Appender& appender);
std::string Encode(const Candidate& candidate);
std::string Encode(const Totals& totals);

// Each leaves alone what stands in the key. Errors: kDataLoss.
Status Decode(std::string_view bytes, Inode& inode);
Status Decode(std::string_view bytes, FileBlock& block);
Status Decode(std::string_view bytes, Appender& appender);
Status Decode(std::string_view bytes, Candidate& candidate);
Status Decode(std::string_view bytes, Totals& totals);

// ---- Keys ----

// (parent, name) of kInodes and kReservations; ChildrenEnd is behind the last child of `parent`.
std::string ChildKey(InodeId parent, std::string_view name);
std::string ChildrenEnd(InodeId parent);
// (inode, offset) of kFileBlocks.
std::string FileBlockKey(InodeId inode, uint64_t offset_bytes);
// (owner, epoch, incarnation) of kPrepared.
std::string CandidateKey(std::string_view owner, EpochPair pair);
// (owner, inode) of kOpenFiles; all of an owner lie in [OpenFileKey(owner, 0),
// OpenFilesEnd(owner)).
std::string OpenFileKey(std::string_view owner, InodeId inode);
std::string OpenFilesEnd(std::string_view owner);

}  // namespace slipstream::dfs::master
