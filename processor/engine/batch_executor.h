#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>
#include <vector>

#include "common/clock/clock.h"
#include "common/clock/sleep.h"
#include "common/status/status.h"
#include "processor/columns/batch.h"
#include "processor/engine/file_source.h"
#include "processor/engine/format_options.h"
#include "processor/planner/plan.h"
#include "processor/runtime/task_program.h"

namespace slipstream::sql {

class OperatorGraph;

// Runs plans whose input is not in Kafka, in the calling thread: VALUES, then files, from the first
// to the last row, then the rows that 'datagen' tables make, as fast as those say.

// What a batch found and gave.
struct BatchReport {
  uint64_t files = 0;  // that were read
  uint64_t rows_in = 0;
  uint64_t rows_out = 0;
  uint64_t rows_bad = 0;
};

// A line that is no row, or a row that failed (then `file` is empty, there is no line, and `text`
// is the row as JSON).
struct BadRow {
  std::string_view file;
  uint64_t line = 0;  // of the file, from 1: the first of its record's; 0: not known
  std::string_view text;
  std::string_view error;
};

struct BatchOptions {
  FileSource* files = nullptr;  // borrowed; needed if the plan reads a table
  // Told of every bad row; the batch goes on if it gives OK, and ends with what it gives otherwise.
  // Not set: they are only counted.
  std::function<Status(const BadRow&)> on_bad_row;
  // Ends the reading: of input that would end by itself with kCancelled, of other input well.
  std::stop_token stop;
  const Clock& clock = SystemClock::Get();  // what NOW reads, once for the whole batch
  Sleeper& sleeper = SystemSleeper::Get();  // waits between generated rows
  uint64_t seed = 1;                        // of generated rows
  // Called about once a second while rows are generated, so that what was written can be seen.
  std::function<Status()> on_pause;
};

// BatchJob: the INSERTs of a plan, ready to run. The caller makes the sinks it describes, runs it,
// and commits what ToFile was given as one epoch.
// Threads: none of its own; immutable but for Run, which runs once.
class BatchJob {
 public:
  // Errors: as CompileJob's. `is_bounded`: every source ends, as the plan was made for; otherwise
  // queries over those that do not give updates.
  static Result<std::unique_ptr<BatchJob>> Compile(const JobPlan& plan,
                                                   bool is_bounded,
                                                   RegistryOpener open_registry = {});
  virtual ~BatchJob() = default;

  virtual const std::vector<runtime::KafkaSinkSpec>& kafka_sinks() const = 0;
  virtual const std::vector<runtime::FileSinkSpec>& file_sinks() const = 0;
  virtual const std::vector<runtime::PrintSinkSpec>& print_sinks() const = 0;

  // Blocking: until the last row. ToDeadLetters of `out` is never called.
  virtual Result<BatchReport> Run(const BatchOptions& options, runtime::TaskOutput& out) = 0;
};

// Runs a graph with one sink. `on_rows` is given its rows, in batches that it must not keep; its
// error stops the run.
Result<BatchReport> RunGraph(const OperatorGraph& graph,
                             const BatchOptions& options,
                             const std::function<Status(const Batch&)>& on_rows);

// Runs one SELECT. `on_rows` is given its rows, in order, in batches that it must not keep; its
// error stops the query.
Result<BatchReport> RunQuery(const PlanNode& query,
                             const BatchOptions& options,
                             const std::function<Status(const Batch&)>& on_rows);

}  // namespace slipstream::sql
