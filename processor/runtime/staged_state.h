#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/scratch/scratch_store.h"
#include "common/status/status.h"

namespace slipstream::runtime {

// StagedState: a task's state as its changelog is read: the last value of each key, until the mark
// says that it counts. In memory, or in a scratch store, since it may be more than memory holds.
// Threads: none of its own.
class StagedState {
 public:
  // null: in memory. The store outlives it, and keeps its errors (ScratchStore::status).
  explicit StagedState(ScratchStore* scratch)
      : space_(scratch == nullptr ? nullptr : scratch->NewSpace()) {}

  void Put(std::string_view key, std::string_view value);
  void Delete(std::string_view key);
  // How many changes came in.
  size_t changes() const { return changes_; }
  // Every key once, until one fails.
  Status ForEach(const std::function<Status(std::string_view key, std::string_view value)>& take);
  void Clear();

 private:
  std::unique_ptr<ScratchSpace> space_;
  std::unordered_map<std::string, std::string> entries_;
  size_t changes_ = 0;
};

}  // namespace slipstream::runtime
