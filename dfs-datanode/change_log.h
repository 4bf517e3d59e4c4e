#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "common/block/block.h"

namespace slipstream::datanode {

struct ReplicaChange {
  enum class Kind { kAdded, kRemoved, kCorrupt };

  uint64_t sequence = 0;
  Kind kind = Kind::kAdded;
  block::Identity identity;
};

// ChangeLog: the changes of this node's replicas, numbered, until the master has acknowledged them.
// Numbers grow by one and are used once, so that a full report that includes changes up to one
// number takes nothing back of a later one.
// Threads  not thread-safe: guarded by its owner.
class ChangeLog final {
 public:
  // More than this many are not kept; a full report takes their place.
  static constexpr size_t kPendingMax = 100'000;

  // `last_sequence` must be at least that of any earlier process of this node.
  explicit ChangeLog(uint64_t last_sequence) : last_sequence_(last_sequence) {}

  void Add(ReplicaChange::Kind kind, const block::Identity& identity);

  // The oldest changes not acknowledged, at most `count_max`.
  std::vector<ReplicaChange> Pending(size_t count_max) const;
  bool has_pending() const { return !pending_.empty(); }

  // Forgets the changes up to and including `sequence`.
  void Acknowledge(uint64_t sequence);

  uint64_t last_sequence() const { return last_sequence_; }

  // Whether changes were dropped that no full report has covered yet.
  bool has_overflowed() const { return dropped_up_to_ != 0; }

 private:
  uint64_t last_sequence_;
  uint64_t dropped_up_to_ = 0;  // 0: nothing was dropped
  std::deque<ReplicaChange> pending_;
};

}  // namespace slipstream::datanode
