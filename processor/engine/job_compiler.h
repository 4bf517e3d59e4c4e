#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/scratch/scratch_store.h"
#include "common/status/status.h"
#include "processor/engine/file_source.h"
#include "processor/engine/format_options.h"
#include "processor/planner/plan.h"
#include "processor/runtime/task_program.h"

namespace slipstream::sql {

struct CompileOptions {
  // Every Kafka source ends where it ended at the job's first start (--bounded).
  bool is_bounded = false;
  // How many partitions the source's topics have together. Called only if the answer matters:
  // when rows of one group may lie in several partitions. Not set: more than one.
  std::function<Result<int32_t>(const runtime::KafkaSourceSpec&)> partition_count;
  // The topics that the source's topic_pattern finds. Called only if it has one.
  std::function<Result<std::vector<std::string>>(const runtime::KafkaSourceSpec&)> find_topics;
  // The files that lookup joins and watched folders read, for many threads; outlives the job.
  // Without it they are refused.
  FileSource* files = nullptr;
  // Not set: formats that need a schema registry are refused.
  RegistryOpener open_registry;
  // What PROCTIME and NOW read; outlives the job.
  const Clock& clock = SystemClock::Get();
  // Where state goes that does not fit into memory ('state.backend' = 'rocksdb'); outlives the job.
  ScratchStore* scratch = nullptr;
};

// Whether some query of the job reads a table of Kafka or a watched folder: such a job runs as
// tasks over partitions (CompileJob), any other as a batch (engine/batch_executor.h). A folder
// counts as watched unless every input is to end.
bool RunsAsTasks(const JobPlan& plan, bool every_input_is_bounded);

// Makes a job of all INSERTs of `plan`: its first stage reads the tables of Kafka, each topic once
// for all tables and INSERTs, and watched folders; the others read what goes through exchanges.
// Checks the options of every table it touches.
// Errors  kInvalidArgument (an option, a plan without INSERT, tables of one topic that do not
//         agree), kUnimplemented (named: sources in two Kafka clusters, rows of literals, formats
//         to come).
Result<std::unique_ptr<runtime::JobProgram>> CompileJob(const JobPlan& plan,
                                                        const CompileOptions& options);

}  // namespace slipstream::sql
