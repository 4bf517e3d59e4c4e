#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "processor/engine/operator_graph.h"
#include "processor/engine/scan_layout.h"
#include "processor/engine/sink_set.h"
#include "processor/engine/source_rows.h"
#include "processor/planner/plan.h"
#include "tests/sql/collected_output.h"

namespace slipstream::sql {

// The job of a test over several Kafka tables, without Kafka: records of each table in their order,
// those of different tables in an order that a seed gives; state saved and restored in between.
class InterleavedJob {
 public:
  using Records = std::map<std::string, std::vector<std::string>>;  // by topic

  static Result<std::unique_ptr<InterleavedJob>> Compile(const JobPlan& plan, bool is_bounded);

  // What the sinks were given, as CollectedOutput has it. Seed 0: table by table, without restores.
  // `scratch`: as GraphRun has it.
  Result<std::string> Run(const Records& records, uint64_t seed, ScratchStore* scratch) const;

 private:
  struct Source {
    TablePtr table;
    std::string topic;
    KafkaTable options;
    std::unique_ptr<const ScanLayout> layout;
  };
  class Task;

  OperatorGraph graph_{true};
  SinkSet sinks_;
  std::vector<Source> sources_;
};

}  // namespace slipstream::sql
