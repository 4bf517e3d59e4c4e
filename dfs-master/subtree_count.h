#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/key_value_store.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// What lies below a directory, to be taken out of some quotas and into others.
struct SubtreeCount {
  InodeId root = kNoInode;  // itself not counted
  std::vector<InodeId> from;
  std::vector<InodeId> to;
  // A quota that is new: counts begun before are none of its business.
  std::optional<InodeId> new_quota;
};

// SubtreeWalk: adds up what lies below a directory, some names at a time.
// Threads: none.
class SubtreeWalk final {
 public:
  // Scans the table kInodes, as KeyValueStore::Scan.
  using ScanInodes = std::function<Status(
      std::string_view begin, std::string_view end, const KeyValueView::Visitor& visit)>;

  SubtreeWalk(ScanInodes scan, InodeId root) : scan_(std::move(scan)), directories_{root} {}

  // Visits at most `limit` names. True when there are no more.
  Result<bool> Step(size_t limit);

  const Usage& usage() const { return usage_; }

 private:
  const ScanInodes scan_;
  std::vector<InodeId> directories_;  // to be visited; the last one now,
  std::string name_;                  // behind this name
  Usage usage_;
};

// SubtreeCounter: the counts that are too long for one request. Each is made on the tables as they
// were when it was asked for, so that changes go on meanwhile: they are accounted by themselves.
// Threads: none; under the master's lock. What Take gives is walked outside of it.
class SubtreeCounter final {
 public:
  struct Task {
    SubtreeCount count;
    std::unique_ptr<KeyValueView> view;
    std::unique_ptr<SubtreeWalk> walk;
  };

  // `store` as it is now is what will be counted.
  void Add(SubtreeCount count, const KeyValueStore& store);

  // The task at the front, if there is one; it stays until Finish. Its `walk` and `view` do not
  // change until then, so they may be used without the lock.
  Task* Front() { return tasks_.empty() ? nullptr : tasks_.front().get(); }
  // Removes the task at the front.
  void Finish() { tasks_.pop_front(); }

  // Whether something is being counted for the quota.
  bool IsCounting(InodeId quota) const;

 private:
  void Forget(InodeId quota);

  std::deque<std::unique_ptr<Task>> tasks_;
};

}  // namespace slipstream::dfs::master
