#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include <spdlog/logger.h>

#include "common/sync/mutex.h"
#include "processor/engine/file_source.h"
#include "processor/engine/operator_graph.h"
#include "processor/operators/lookup_join.h"

namespace slipstream::sql {

// FileLookup: the table of a lookup join, held in memory, and read anew when a file of it has
// another length or time of modification, or when one comes or goes. It looks for that at most
// every `check_period`. Once the table was read it stays what it was while the files cannot be
// reached, or while one of them changes as it is read.
//
// Bad rows  are counted, and said with file and line, the first few of each reading; the others
//            make the table.
// Ownership  borrows the files' source, which must outlive it.
// Threads    thread-safe. mutex_ is held while files are read: others wait for that same table.
class FileLookup final : public LookupSource {
 public:
  // `graph` gives the table's rows to sink 0.
  FileLookup(JoinDescription description,
             OperatorGraph graph,
             std::string path,
             int64_t check_period_us,
             FileSource& files);

  // Errors: what reading gave, if the table never was.
  Result<std::shared_ptr<const LookupTable>> Table(int64_t now_us) override;

  // Rows that could not be read, each time that they were tried.
  uint64_t rows_bad() const { return rows_bad_.load(std::memory_order_relaxed); }

 private:
  Result<std::string> Version() REQUIRES(mutex_);
  Status Read() REQUIRES(mutex_);

  const JoinDescription description_;
  const OperatorGraph graph_;
  const std::string path_;
  const int64_t check_period_us_;
  const std::shared_ptr<spdlog::logger> log_;  // shared with all who log
  std::atomic<uint64_t> rows_bad_{0};

  Mutex mutex_;
  FileSource& files_ GUARDED_BY(mutex_);
  std::shared_ptr<const LookupTable> table_ GUARDED_BY(mutex_);  // shared with who looks up in it
  std::string version_ GUARDED_BY(mutex_);
  int64_t checked_us_ GUARDED_BY(mutex_) = 0;
};

}  // namespace slipstream::sql
