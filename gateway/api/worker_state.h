#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"

namespace slipstream::gateway::api {

// WorkerState: what a worker of a job says of itself once a second (docs/FORMATS.md, "Status").
struct WorkerState {
  struct Task {
    std::string topic;
    int32_t partition = 0;
    int64_t position = 0;
    std::optional<int64_t> end;  // nothing: the broker has not told yet
    std::optional<int64_t> watermark_ms;
    bool is_idle = false;
    bool is_done = false;
    double busy_share = 0;       // of its time, spent on its records
    double held_back_share = 0;  // not reading, while what it had given was committed
  };
  // What crossed an edge of the job.
  struct Flow {
    uint64_t rows = 0;
    uint64_t bytes = 0;
  };

  std::string slot;
  std::string job;
  std::string host;
  std::string admin_address;
  std::string state;
  std::string waiting_for;  // empty: for nothing
  int64_t at_ms = 0;        // since 1970 UTC
  uint64_t rows_in = 0;
  uint64_t rows_out = 0;
  uint64_t rows_late = 0;
  uint64_t rows_dead = 0;
  double rows_in_per_second = 0;
  double rows_out_per_second = 0;
  double busy_share = 0;                // of its time, spent on records
  double commit_share = 0;              // spent in commits
  std::map<std::string, Flow> inputs;   // by topic
  std::map<std::string, Flow> outputs;  // by topic, or path of files
  std::vector<Flow> exchanges;          // by number
  std::vector<Flow> operators;          // what came into each, by number
  uint64_t commits = 0;
  uint64_t commits_failed = 0;
  double commit_seconds = 0;  // of all together
  uint64_t takeovers = 0;
  std::vector<Task> tasks;
  // Of each copy that it keeps of another's task, in offsets of the changelog; nothing: not yet
  // caught up.
  std::vector<std::optional<int64_t>> standby_lags;
};

// Anybody can write to the topic. kDataLoss: not such a record. What is absent keeps its default.
Result<WorkerState> ParseWorkerState(std::string_view slot, std::string_view text);

}  // namespace slipstream::gateway::api
