#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace slipstream::commit_model {

inline constexpr size_t kWorkers = 2;
inline constexpr size_t kLogEntriesMax = 10;
inline constexpr size_t kCandidatesMax = 6;

// Everything here is made of bytes alone, so that a state is its own key in the set of states seen.

struct Pair {
  uint8_t epoch = 0;
  uint8_t incarnation = 0;

  friend bool operator==(const Pair&, const Pair&) = default;
};

// What one epoch did: records [from, to), and whether the window fired.
struct Content {
  uint8_t from = 0;
  uint8_t to = 0;
  uint8_t fires = 0;
};

// A task's state after an epoch: how many records it has counted, and whether its window fired.
struct TaskState {
  uint8_t count = 0;
  uint8_t fired = 0;
};

// ---- Kafka ----

enum class EntryStatus : uint8_t { kNone, kOpen, kCommitted, kAborted };

// What one transaction wrote: output and mark, in topics that get their markers together.
struct LogEntry {
  uint8_t slot = 0;
  EntryStatus status = EntryStatus::kNone;
  Pair pair;
  Content content;
  TaskState state;
};

enum class TransactionStatus : uint8_t { kNone, kOngoing, kCommitDecided, kAbortDecided };

// A transactional id at its coordinator.
struct Transaction {
  TransactionStatus status = TransactionStatus::kNone;
  uint8_t has_offsets = 0;         // offsets of it stand, unstable, on the partition
  uint8_t log_marker_pending = 0;  // once decided
  uint8_t offset_position = 0;
  Pair offset_pair;
};

struct Kafka {
  uint8_t generation = 0;
  uint8_t has_owner = 0;
  uint8_t owner = 0;
  uint8_t committed_position = 0;
  Pair committed_pair;
  std::array<Transaction, kWorkers> transactions;
  std::array<LogEntry, kLogEntriesMax> log;
};

// ---- The master ----

struct Candidate {
  Pair pair;  // epoch 0: none
  Content content;
};

struct Master {
  uint8_t newest_incarnation = 0;
  uint8_t file_length = 0;  // records in the file
  uint8_t file_fired = 0;
  Pair committed;
  std::array<Candidate, kCandidatesMax> candidates;
};

// ---- A worker ----

enum class Phase : uint8_t {
  kDead,
  kJoining,  // after init_transactions
  kAssigned,
  kOffsetsRead,
  kRestored,
  kAcquired,
  kRunning,
  kProcessed,  // an epoch is open
  kPrepared,
  kProduced,
  kOffsetsSent,
};

struct Worker {
  Phase phase = Phase::kDead;
  uint8_t producer_is_fenced = 0;
  uint8_t generation = 0;
  uint8_t incarnation = 0;
  uint8_t position = 0;
  TaskState state;
  Pair last;        // the pair it committed last, or restored to
  Content content;  // of the open epoch
};

struct State {
  Kafka kafka;
  Master master;
  std::array<Worker, kWorkers> workers;
  uint8_t crashes_left = 0;
  uint8_t steals_left = 0;
  uint8_t timeouts_left = 0;
};

}  // namespace slipstream::commit_model
