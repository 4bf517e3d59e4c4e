// A name that a producer gives is found in the log of everything that its records go through: the
// processor that commits them, in each stage, the master, and every datanode of the block's chain.

#include <algorithm>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/dfs_cluster.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

constexpr char kDebug[] = "--log-level=debug";
constexpr char kSource[] = R"(
CREATE TABLE flights (id BIGINT, carrier STRING, time_hour TIMESTAMP(0),
  WATERMARK FOR time_hour AS time_hour - INTERVAL '1' HOUR) WITH (
  'connector' = 'kafka', 'topic' = 'traced', 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset');
)";
constexpr char kStored[] = R"(
CREATE TABLE stored (id BIGINT, carrier STRING) WITH (
  'connector' = 'filesystem', 'path' = 'dfs:///traced/', 'format' = 'json');
INSERT INTO stored SELECT id, carrier FROM flights;
)";
constexpr char kCounted[] = R"(
CREATE TABLE counted (hour_end TIMESTAMP(3), carrier STRING, flights BIGINT) WITH (
  'connector' = 'filesystem', 'path' = 'dfs:///counted/', 'format' = 'json');
INSERT INTO counted SELECT window_end, carrier, COUNT(*)
FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(time_hour), INTERVAL '1' HOUR))
GROUP BY window_start, window_end, carrier;
)";

// The names in the lines that hold `text`.
std::set<std::string> TracesOf(const std::string& log, const std::string& text) {
  constexpr size_t kDigits = 32;
  std::set<std::string> traces;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const size_t at = line.find(" trace=");
    if (at == std::string::npos || line.find(text) == std::string::npos) continue;
    traces.insert(line.substr(at + std::string(" trace=").size(), kDigits));
  }
  return traces;
}

bool HaveOneInCommon(const std::set<std::string>& some, const std::set<std::string>& others) {
  return std::any_of(
      some.begin(), some.end(), [&](const std::string& one) { return others.contains(one); });
}

TEST(TraceTest, ANameGoesFromTheProducerThroughEveryStageToEveryReplicaOfABlock) {
  const TempDir dir{"trace"};
  const std::string brokers = KafkaBroker::Shared().bootstrap();
  ASSERT_OK_AND_ASSIGN(const auto cluster,
                       DfsCluster::Start({.dir = dir.path(),
                                          .datanodes = 2,
                                          .master_flags = {kDebug},
                                          .datanode_flags = {kDebug}}));
  ASSERT_OK(cluster->WaitUntilWritable());
  ASSERT_OK_AND_ASSIGN(
      const ToolResult produced,
      RunTool(ProducerCommand(
          {"flights", "--synthetic", "--flights=400", "--topic=traced", "--partitions=2", kDebug},
          brokers)));
  ASSERT_EQ(produced.exit.code, 0) << produced.err;
  const std::set<std::string> begun = TracesOf(produced.err, "trace_begun");
  ASSERT_FALSE(begun.empty()) << produced.err;

  const auto run = [&](const std::string& name, const std::string& sql) {
    const std::filesystem::path job = dir / (name + ".sql");
    EXPECT_OK(WriteFile(job, kSource + sql));
    const auto process = Process::Start(
        Command(ProcessorRun{.job = job,
                             .brokers = brokers,
                             .master = cluster->master_address(),
                             .is_bounded = true,
                             .more_flags = {kDebug, "--state-dir=" + dir.path().string()}},
                dir.path(),
                name));
    EXPECT_OK(process.status());
    if (!process.ok()) return std::string();
    const auto exit = (*process)->Wait();
    EXPECT_TRUE(exit.ok() && exit->code == 0);
    return (*process)->Stderr();
  };
  const std::string stored = run("traced_stored", kStored);
  const std::set<std::string> committed = TracesOf(stored, "epoch_committed task=traced[");
  EXPECT_TRUE(HaveOneInCommon(begun, committed)) << stored;
  const std::string master = cluster->master()->Stdout();
  for (const char* method : {"AllocateBlocks", "Prepare"})
    EXPECT_TRUE(HaveOneInCommon(begun, TracesOf(master, method))) << method;
  for (int i = 0; i < cluster->datanode_count(); ++i) {
    const std::string log = cluster->datanode(i)->Stdout();
    EXPECT_TRUE(HaveOneInCommon(begun, TracesOf(log, "block_begun id="))) << i;
  }

  // Through an exchange: the tasks of the next stage read another topic.
  const std::string counted = run("traced_counted", kCounted);
  EXPECT_TRUE(HaveOneInCommon(
      begun, TracesOf(counted, "epoch_committed task=traced_counted-repartition-1[")))
      << counted;
}

}  // namespace
}  // namespace slipstream::test_support
