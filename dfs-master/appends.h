#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "dfs-master/records.h"
#include "dfs-master/types.h"

// What writers hand to the master, and what it answers.

namespace slipstream::dfs::master {

struct PreparedBlock {
  Block block;
  std::vector<std::string> holder_node_ids;  // whose acknowledgements the writer holds
};

// One epoch's share of one file.
struct FileAppend {
  InodeId inode = kNoInode;  // or, where there is none yet,
  std::string new_path;
  uint64_t expected_length_bytes = 0;
  std::vector<PreparedBlock> blocks;
  bool is_closing = false;
  bool is_replacing = false;
  Attributes attributes;
  uint32_t replication = 0;  // of a new file; 0: the master's default
};

struct EpochAppend {
  std::string owner;
  uint64_t incarnation = 0;
  uint64_t epoch = 0;
  EpochPair committed;  // carried out first; none where there is none
  std::vector<FileAppend> files;

  EpochPair pair() const { return {.epoch = epoch, .incarnation = incarnation}; }
};

struct EpochCommit {
  std::string owner;
  EpochPair pair;
};

struct PrepareResult {
  struct Appender {
    std::vector<InodeId> inodes;  // one for each file, in the request's order
    std::vector<uint32_t>
        lost_files;  // indexes of files that are gone; nothing of them is prepared
  };
  std::vector<Appender> appenders;
};

struct AcquireResult {
  uint64_t incarnation = 0;
  EpochPair committed;
  std::vector<EpochPair> prepared;
};

struct AppenderStatus {
  std::string owner;
  uint64_t incarnation = 0;
  EpochPair committed;
  std::vector<EpochPair> prepared;
  int64_t prepared_since_ms = 0;  // the oldest candidate; 0: none
  uint32_t open_files = 0;
  std::chrono::milliseconds lease{0};  // zero: none
  EpochPair claimed;                   // a commit it spoke of that a restored master does not have
};

// What a request does to blocks: for the block map and the ledger, once the request is written.
struct BlockChanges {
  std::vector<FileBlock> prepared;
  std::vector<BlockId> committed;
  // Of candidates that lost, of files that are gone, and those merged into another.
  std::vector<BlockId> discarded;
  struct Replication {
    BlockId id = 0;
    uint8_t replication = 0;
  };
  std::vector<Replication> replications;  // other numbers of replicas than before
  struct Growth {
    InodeId file = kNoInode;
    uint64_t offset_bytes = 0;  // behind which the file has new blocks
    uint64_t block_count = 0;   // so many of them
  };
  std::vector<Growth> growths;
};

}  // namespace slipstream::dfs::master
