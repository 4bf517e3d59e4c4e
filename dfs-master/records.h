#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/types.h"

// What stands in the master's tables. Every value begins with its format's version, so that a
// later one can be told from it; docs/FORMATS.md has the bytes. Records of the version before are
// read, too, and become new ones when they are written next.

namespace slipstream::dfs::master {

// Of the store as a whole: a program that does not know it must not touch the store.
constexpr uint64_t kStoreFormatVersion = 3;
constexpr uint64_t kStoreFormatOldest = 1;

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
  int64_t accessed_at_ms = 0;  // as set by users; reading does not change it
  Attributes attributes;
  std::string writer;    // the appender whose commits go on in this file; empty: none
  std::string claimant;  // the appender that has candidates with a share for it; empty: none
  uint32_t claims = 0;   // how many such candidates
  uint64_t child_count = 0;
  // How often the file was cut. While this stays the same, what was at an offset once is there yet.
  uint64_t truncation_count = 0;

  bool is_directory() const { return kind == FileKind::kDirectory; }
  // Of itself alone.
  Usage usage() const {
    return {.names = 1,
            .space_bytes = static_cast<int64_t>(stored_bytes) * static_cast<int64_t>(replication)};
  }
};

// A block of a file, and who acknowledged it when it was prepared: the hint that fsck falls back
// on when no holder is there. Table kFileBlocks.
struct FileBlock {
  Block block;
  // How many of the block's last bytes do not belong to the file, which was cut there; fewer than
  // block.raw_bytes.
  uint32_t cut_bytes = 0;
  uint32_t replication = 0;
  std::vector<NodeNumber> first_holders;

  // How many of the file's bytes it holds.
  uint32_t length_bytes() const { return block.raw_bytes - cut_bytes; }
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
  std::string name;           // of an existing file the one it had then, for people
  uint64_t expected_length_bytes = 0;
  std::vector<FileBlock> blocks;
  bool is_closing = false;
  bool is_replacing = false;
  Attributes attributes;
  uint32_t replication = 0;  // of a new file
  // The directories with a quota that this share was charged to, and with what.
  std::vector<InodeId> charged;
  Usage usage;
};

// An epoch that stands prepared. Table kPrepared.
struct Candidate {
  EpochPair base;  // what was committed when it was prepared
  uint64_t content_hash = 0;
  std::vector<PreparedShare> shares;
};

// Sums over the tree, and over what lies below deleted directories until it is taken apart
// (OrphanReaper): how much that is, is known only then. Table kMeta.
struct Totals {
  uint64_t files = 0;
  uint64_t directories = 0;
  uint64_t blocks = 0;
  uint64_t raw_bytes = 0;
  uint64_t stored_bytes = 0;
};

// The quota of a directory, and what lies below it, itself included. Table kQuotas.
struct Quota {
  uint64_t names_max = 0;        // 0: no limit
  uint64_t space_max_bytes = 0;  // 0: no limit
  Usage used;                    // by what is in the tree
  Usage promised;                // by what is prepared
  // Part of `used` is being counted in the background and not in it yet.
  bool is_counting = false;

  bool has_limit() const { return names_max != 0 || space_max_bytes != 0; }
};

std::string Encode(const Inode& inode);
std::string Encode(const FileBlock& block);
std::string Encode(const Appender& appender);
std::string Encode(const Candidate& candidate);
std::string Encode(const Totals& totals);
std::string Encode(const Quota& quota);
std::string Encode(const FileStatus& status);  // as a remembered answer

// Each leaves alone what stands in the key. Errors: kDataLoss.
Status Decode(std::string_view bytes, Inode& inode);
Status Decode(std::string_view bytes, FileBlock& block);
Status Decode(std::string_view bytes, Appender& appender);
Status Decode(std::string_view bytes, Candidate& candidate);
Status Decode(std::string_view bytes, Totals& totals);
Status Decode(std::string_view bytes, Quota& quota);
Status Decode(std::string_view bytes, FileStatus& status);

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
