#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "tests/support/dfs_cluster.h"
#include "tests/support/kafka_client.h"
#include "tests/support/process.h"

namespace slipstream::test_support {

// CommitHarness: one job of commit_processor over one topic of numbered records, run by as many
// processes and through as many mishaps as a test likes, and then looked at: every record must
// have come out once in the topic and once in the files, and be counted once.
class CommitHarness final {
 public:
  struct Options {
    std::string name;  // of the job; topics are named after it
    std::string bootstrap;
    std::filesystem::path dir;
    const DfsCluster* dfs = nullptr;  // null: files on the local disk
    int record_count = 30'000;
    int session_timeout_ms = 10'000;
    int batch_delay_ms = 100;  // several commits even of a small job
  };

  explicit CommitHarness(Options options);

  // Makes the source topic, with three partitions, and fills it.
  Status Fill();

  struct Run {
    std::string failpoints = {};
    std::string state_dir = "state";  // two live processes may share one
    int workers = 1;
    std::vector<std::string> more_flags = {};
  };
  // Starts a process of the job.
  Result<std::unique_ptr<Process>> Start(const Run& run);
  // Starts one, without mishaps, and waits for its successful end.
  Status Finish(std::chrono::milliseconds deadline = std::chrono::seconds(90));

  // OK if every record is there exactly once, in every place.
  Status Check() const;

  const std::string& source() const { return source_; }
  const std::string& sink() const { return sink_; }
  std::filesystem::path files_dir() const { return options_.dir / "files"; }

 private:
  Status CheckTopic() const;
  Status CheckCounts() const;
  Status CheckFiles() const;
  Result<std::vector<std::string>> FileRows() const;

  const Options options_;
  const KafkaClient client_;
  const std::string source_;
  const std::string sink_;
  int start_count_ = 0;
};

}  // namespace slipstream::test_support
