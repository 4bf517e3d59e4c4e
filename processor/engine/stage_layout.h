#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "processor/engine/operator_graph.h"
#include "processor/planner/plan.h"
#include "processor/runtime/task_program.h"

namespace slipstream::sql {

// Whose tasks write a sink: those of these sources, and of these stages behind exchanges.
struct SinkWriters {
  std::vector<size_t> sources;
  std::vector<uint32_t> stages;
};

// StageLayout: the stages of a job, as its graph's exchanges cut it. Stage 0 reads the tables. The
// exchanges whose rows meet are one stage's.
struct StageLayout {
  std::vector<runtime::RepartitionSpec> repartitions;  // of the stages 1 and up
  std::vector<std::vector<size_t>> source_sends;       // by source: exchanges its rows go to
  std::vector<std::vector<size_t>> stage_sends;        // by stage; of stage 0 empty
  std::vector<bool> is_stateful;                       // by stage
  std::vector<SinkWriters> sink_writers;               // by sink
};

// `sources`: the tables of the graph's scans, those that are read together as one source.
StageLayout LayStages(const OperatorGraph& graph,
                      const std::vector<std::vector<TablePtr>>& sources);

}  // namespace slipstream::sql
