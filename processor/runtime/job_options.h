#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "common/kafka/types.h"
#include "common/scratch/scratch_store.h"
#include "common/status/status.h"
#include "dfs-client/append_store.h"

namespace slipstream::runtime {

// How a job is run; what it computes is in its JobProgram.
struct JobOptions {
  std::string job_name;  // names group, topics and slots; [a-zA-Z0-9._-]
  // For every client of the job, below the properties of the program's own source and sinks; at
  // least bootstrap.servers.
  kafka::Properties kafka_properties;
  // Opens the file system named by a dfs path's HOST:PORT ("": the process's --master). Called at
  // most once, and only if the job has a dfs sink. Its calls should give up after about ten
  // seconds (workers call again, and serve their group in between), but not because the job is
  // stopped: the last epoch is committed then.
  std::function<Result<std::shared_ptr<dfs::AppendStore>>(const std::string& authority)> open_store;
  std::filesystem::path state_dir;
  // Where state is read from the changelog to, before the tasks take it; outlives the job. null:
  // into memory.
  ScratchStore* scratch = nullptr;
  size_t worker_count = 1;
  // How many other workers keep a copy of each task, so that they have little to read when they get
  // it; see Standbys.
  size_t standby_count = 0;
  // Discard all the job has committed to Kafka's groups and changelogs, and start anew. Results
  // stay where they are.
  bool is_fresh = false;
  // A job of one run: when it ends, all it has in Kafka besides its results is removed again, as by
  // is_fresh, and it leaves its group at once instead of keeping its place for a restart.
  bool is_temporary = false;
  std::chrono::milliseconds commit_interval{1'000};
  std::chrono::milliseconds session_timeout{10'000};
  // How long the brokers, the source topics and the master may take to appear at the start.
  std::chrono::milliseconds connect_timeout{60'000};
  int compression_level = 3;  // zstd, of blocks
  std::string admin_address;  // as others reach it, for the status topic; empty: none
  bool is_status_published = true;
};

}  // namespace slipstream::runtime
