#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/cluster/dfs_fixture.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/process.h"
#include "tests/support/test_environment.h"

// The dashboard in a real browser, over the whole stack with rows flowing through it: Kafka, the
// file system, producers, jobs, gateway. What is looked at stands in dashboard_test.py.

namespace slipstream::dfs {
namespace {

using test_support::KafkaBroker;
using test_support::Process;
using test_support::ToolResult;

class DashboardTest : public DfsTest {
 protected:
  void SetUp() override {
    Options options;
    options.master_flags = {};  // the times that users have
    StartCluster(options);
    dashboards_ = dir_ / "dashboards";
    std::filesystem::copy(test_support::SourceDir() / "dashboards", dashboards_);
    Start("gateway",
          {.program = "gateway",
           .args = {"--master=" + cluster().master_address(),
                    "--brokers=" + KafkaBroker::Shared().bootstrap(),
                    "--listen=127.0.0.1:0",
                    "--dashboards=" + dashboards_.string()},
           .is_daemon = true});
    StartProducer("flights", {"flights", "--synthetic", "--rate=400"});
    // A minute of readings goes by in a second: windows fire while somebody looks.
    StartProducer("sensors",
                  {"sensors",
                   "--profile=iot",
                   "--devices=5",
                   "--interval=5s",
                   "--speed=60x",
                   "--start=2024-05-12T00:00:00",
                   "--anomaly-ratio=0.01",
                   "--corrupt-ratio=0.005",
                   "--late-ratio=0.01",
                   "--late-by=2m"});
    for (const char* topic : {"flights-topic", "iot_sensor_data"})
      ASSERT_TRUE(test_support::Eventually([&] { return HasTopic(topic); })) << topic;
    for (const char* job :
         {"flights_delays", "carrier_counts", "origin_counts", "iot_windowed", "sensor_anomalies"})
      StartJob(job);
  }

  void Start(const std::string& name, test_support::ProcessOptions options) {
    options.dir = dir_.path();
    options.name = name;
    const bool is_daemon = options.is_daemon;
    ASSERT_OK_AND_ASSIGN(processes_[name], Process::Start(std::move(options)));
    if (!is_daemon) return;
    ASSERT_OK(processes_[name]->WaitForEndpoint().status());
  }
  void StartProducer(const std::string& name, std::vector<std::string> args) {
    Start(name, test_support::ProducerCommand(std::move(args), KafkaBroker::Shared().bootstrap()));
  }
  void StartJob(const std::string& name) {
    Start(
        name,
        Command(
            test_support::ProcessorRun{.job = test_support::SourceDir() / "jobs" / (name + ".sql"),
                                       .brokers = KafkaBroker::Shared().bootstrap(),
                                       .master = cluster().master_address(),
                                       .more_flags = {"--state-dir=" + (dir_ / "state").string()}},
            dir_.path(),
            name));
  }
  static bool HasTopic(const std::string& topic) {
    const auto topics = test_support::KafkaClient(KafkaBroker::Shared().bootstrap()).Topics();
    return topics.ok() && topics->contains(topic);
  }
  Process& process(const std::string& name) { return *processes_.at(name); }
  const std::filesystem::path& dashboards() const { return dashboards_; }

  void RunPython(const std::filesystem::path& python,
                 std::vector<std::string> args,
                 std::map<std::string, std::string> environment = {}) {
    ASSERT_OK_AND_ASSIGN(const ToolResult result,
                         test_support::RunTool({.program = python,
                                                .args = std::move(args),
                                                .environment = std::move(environment),
                                                .dir = dir_.path(),
                                                .name = "browser"},
                                               std::chrono::seconds(400)));
    EXPECT_EQ(result.exit.code, 0) << result.out << result.err;
    std::puts(result.out.c_str());
  }

 private:
  std::filesystem::path dashboards_;
  std::map<std::string, std::unique_ptr<Process>> processes_;
};

TEST_F(DashboardTest, ShowsWhatRunsToWhoeverLooks) {
  const char* state = std::getenv("SLIPSTREAM_STATE");
  const std::filesystem::path driver =
      (state != nullptr ? std::filesystem::path(state)
                        : test_support::SourceDir() / ".slipstream") /
      "browser-driver";
  const std::filesystem::path scripts = test_support::SourceDir() / "tests" / "browser";
  RunPython("/usr/bin/python3", {scripts / "install_browser_driver.py", driver});
  ASSERT_OK_AND_ASSIGN(const auto endpoint, process("gateway").WaitForEndpoint());
  RunPython(driver / "bin" / "python",
            {scripts / "dashboard_test.py"},
            {{"GATEWAY", endpoint.rpc},
             {"GATEWAY_PID", std::to_string(process("gateway").pid())},
             {"DATANODE", cluster().datanode_address(1)},
             {"DATANODE_PID", std::to_string(cluster().datanode(1)->pid())},
             {"DASHBOARDS", dashboards().string()},
             {"SCREENSHOTS", (test_support::BinDir().parent_path() / "screenshots").string()},
             {"HOME", dir_.path().string()},
             {"PYTHONDONTWRITEBYTECODE", "1"}});
}

}  // namespace
}  // namespace slipstream::dfs
