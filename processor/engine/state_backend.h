#pragma once

#include <cstdint>

#include "common/status/status.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// Where a job's tasks keep their state between commits. It is the same state either way, and in the
// same changelog: a job may change over whenever it is started again.
struct StateBackend {
  // State that is unbounded by its key and does not fit into memory_bytes goes to a local disk.
  bool is_on_disk = false;
  uint64_t memory_bytes = uint64_t{256} << 20;  // of the process, for all its tasks
};

// By 'state.backend' (or 'state.backend.type') and 'state.rocksdb.memory'. kInvalidArgument.
Result<StateBackend> StateBackendOf(const Options& settings);

}  // namespace slipstream::sql
