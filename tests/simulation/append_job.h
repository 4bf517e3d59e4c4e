#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/block/encoded_block.h"
#include "common/status/status.h"
#include "dfs-client/file_types.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/stage.h"

namespace slipstream::dfs {
class DfsClient;
}

namespace slipstream::simulation {

// AppendJob: a stream processor's task that appends to files in epochs, as the commit protocol has
// it: acquire, write blocks, prepare, decide, commit. What Kafka is to the processor, a few fields
// are here: the last epoch that was decided, and which worker may still decide.
//
// Workers die between any two steps; others take over while the old ones still run. What was
// decided is in the files once, what was not is nowhere. Ownership  borrows the stage.
class AppendJob final {
 public:
  AppendJob(Stage& stage, const std::string& name);
  ~AppendJob();

  // Runs in fibers until the stage is closed, and every file is closed after it.
  void Start();
  bool has_ended() const { return workers_running_ == 0 && has_closed_; }

  void Stop();

  // In a fiber: the files hold what was decided.
  void CheckAll();

 private:
  class Worker;

  // What was decided for one file.
  struct File {
    std::string path;
    uint64_t inode_id = 0;
    std::string content;
    bool is_closed = false;
  };

  void StartWorker();
  // The last file, or a new one after it was closed.
  File NextFile() const;

  Stage& stage_;
  const std::string name_;
  Random random_;
  block::FrameCompressor compressor_;
  std::vector<std::unique_ptr<Process>> processes_;
  int workers_started_ = 0;
  int workers_running_ = 0;
  bool has_closed_ = false;

  // "Kafka": who may decide, and what was decided.
  uint64_t generation_ = 0;
  dfs::EpochPair committed_;
  std::vector<File> files_;
  size_t names_lost_ = 0;  // to squatters
};

}  // namespace slipstream::simulation
