#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"

namespace slipstream::gateway::api {

// JobDescription: what a job is, as its processes say (docs/FORMATS.md, "Status").
struct JobDescription {
  struct Table {
    std::string table;
    std::string connector;
    std::string kind;  // of `place`: "topic", "topic-pattern", "path"; empty: it has none
    std::string place;
  };

  std::string job;
  std::vector<Table> sources;
  std::vector<Table> sinks;
  std::string plan;  // as EXPLAIN has it
  std::string sql;
};

// The key under which a job's description stands begins with it.
inline constexpr std::string_view kDescriptionKey = "job:";

// Anybody can write to the topic. kDataLoss: not such a record. What is absent is empty.
Result<JobDescription> ParseJobDescription(std::string_view text);

}  // namespace slipstream::gateway::api
