#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "common/clock/clock.h"
#include "common/scratch/scratch_store.h"
#include "processor/engine/connector_options.h"
#include "processor/engine/exchange_codec.h"
#include "processor/engine/file_source.h"
#include "processor/engine/late_routes.h"
#include "processor/engine/operator_graph.h"
#include "processor/engine/scan_layout.h"
#include "processor/engine/sink_set.h"
#include "processor/engine/stage_layout.h"

namespace slipstream::sql {

// A table that a job reads: one of Kafka's, or a folder that is watched, which of `table` has only
// what says how its records are read.
struct CompiledSource {
  KafkaTable table;
  std::optional<FileTable> folder;
  std::unique_ptr<const ScanLayout> layout;
  size_t group = 0;  // of CompiledJob::groups
};

// What all tasks of a job share: the compiled plan.
struct CompiledJob {
  std::unique_ptr<const OperatorGraph> graph;  // of all stages
  std::vector<CompiledSource> sources;         // by table
  // The tables of the same topics, which are read once for all of them: a source of the program
  // each. Numbers of `sources`.
  std::vector<std::vector<size_t>> groups;
  std::vector<ExchangeCodec> exchanges;  // the graph's
  LateRoutes late_routes;
  StageLayout stages;
  SinkSet sinks;
  const Clock* clock = nullptr;     // outlives the tasks
  FileSource* files = nullptr;      // likewise; of watched folders and lookup joins
  ScratchStore* scratch = nullptr;  // likewise; null: all state is in memory
};

}  // namespace slipstream::sql
