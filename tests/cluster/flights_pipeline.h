#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "tests/support/dfs_cluster.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/process.h"

namespace slipstream::test_support {

// FlightsPipeline: a broker, a file system of three datanodes, and the shipped jobs between them,
// run as a user runs them.
//
// One pipeline takes many runs of the same job: a run's *variant* names it, and its job is a copy
// of the shipped file whose results go to a place of its own: dfs:///<variant>/…, topic
// <variant>-<topic>; the job's name is <variant>-<job>. The variant "" is the shipped file itself.
// Threads      not thread-safe.
class FlightsPipeline final {
 public:
  static constexpr const char* kTopic = "flights-topic";

  // Everything lives below `dir`.
  static Result<std::unique_ptr<FlightsPipeline>> Start(std::filesystem::path dir);

  KafkaBroker& broker() { return *broker_; }
  DfsCluster& dfs() { return *dfs_; }
  KafkaClient client() const { return KafkaClient(broker_->bootstrap()); }

  // `producer flights` with these flags, to its end, which must be a success. It makes `topic`,
  // with three partitions.
  Status Send(std::vector<std::string> flags, const std::string& topic = kTopic) const;
  // The same, not waited for.
  Result<std::unique_ptr<Process>> StartSending(std::vector<std::string> flags,
                                                const std::string& topic) const;

  struct Run {
    std::string job;  // "flights_delays"
    std::string variant = {};
    std::string topic = kTopic;  // in place of the file's source topic
    bool is_bounded = true;
    int workers = 1;
    std::string failpoints = {};
    // Two live processes may share one.
    std::string state_dir = "state";
    std::vector<std::string> more_flags = {};
  };
  // The consumer group, and the name in the status topic.
  static std::string JobName(const Run& run);
  Result<std::unique_ptr<Process>> StartJob(const Run& run);
  // Runs it to its end, which must be a success.
  Status RunJob(const Run& run);

  // `processor query` over the tables that the run's job declares; what it prints. It must succeed.
  Result<std::string> Query(const Run& run,
                            const std::string& sql,
                            const std::string& format = "csv") const;

  // What stands in files below dfs:///<variant>/<path>, line by line, sorted.
  Result<std::vector<std::string>> StoredLines(const std::string& variant,
                                               const std::string& path) const;
  // The lines of dfs:///<variant>/flights/carrier=XX/, by carrier, sorted.
  Result<std::map<std::string, std::vector<std::string>>> StoredFlights(
      const std::string& variant) const;
  // The topic `flights` of the variant.
  Result<std::vector<KafkaRecord>> StructuredFlights(const std::string& variant) const;

  // The last thing that the job's workers published of a counter ("rows_late"), summed over the
  // processes that ran it.
  Result<int64_t> Counter(const std::string& job_name, const std::string& counter) const;

  const std::filesystem::path& dir() const { return dir_; }

 private:
  explicit FlightsPipeline(std::filesystem::path dir) : dir_(std::move(dir)) {}

  ProcessOptions SendCommand(std::vector<std::string> flags, const std::string& topic) const;
  // The SQL file to run.
  Result<std::filesystem::path> JobFile(const Run& run) const;

  const std::filesystem::path dir_;
  std::unique_ptr<KafkaBroker> broker_;
  std::unique_ptr<DfsCluster> dfs_;
  int start_count_ = 0;
};

// The lines of a text, without their ends.
std::vector<std::string> Lines(std::string_view text);

}  // namespace slipstream::test_support
