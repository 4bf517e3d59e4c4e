#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/cluster/dfs_fixture.h"
#include "tests/support/http_get.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/process.h"
#include "tests/support/test_environment.h"

// A gateway in front of a real master and real datanodes, and the clients that people have.

namespace slipstream::dfs {
namespace {

using test_support::Eventually;
using test_support::Process;
using test_support::ToolResult;

class GatewayTest : public DfsTest {
 protected:
  void SetUp() override {
    StartCluster();
    StartGateway();
  }

  void StartGateway(const std::vector<std::string>& more_flags = {}) {
    std::vector<std::string> args = {"--master",
                                     cluster().master_address(),
                                     "--listen",
                                     "127.0.0.1:0",
                                     "--memory=256MiB",
                                     "--timeout-seconds=20"};
    args.insert(args.end(), more_flags.begin(), more_flags.end());
    ASSERT_OK_AND_ASSIGN(gateway_,
                         Process::Start({.program = "gateway",
                                         .args = std::move(args),
                                         .dir = dir_.path(),
                                         .is_daemon = true}));
    ASSERT_OK_AND_ASSIGN(endpoint_, gateway_->WaitForEndpoint());
  }

  // A Python program of tests/gateway, which must succeed.
  void RunPython(const std::filesystem::path& python,
                 std::vector<std::string> args,
                 std::map<std::string, std::string> environment = {}) {
    environment.emplace("GATEWAY", endpoint_.rpc);
    environment.emplace("HDFSCLI_TEST_URL", "http://" + endpoint_.rpc);
    environment.emplace("PYTHONDONTWRITEBYTECODE", "1");
    ASSERT_OK_AND_ASSIGN(const ToolResult result,
                         test_support::RunTool({.program = python,
                                                .args = std::move(args),
                                                .environment = std::move(environment),
                                                .dir = dir_.path(),
                                                .name = "clients"},
                                               std::chrono::seconds(600)));
    EXPECT_EQ(result.exit.code, 0) << result.out << result.err;
    if (std::getenv("SLIPSTREAM_KEEP_TEMP") != nullptr)
      std::puts((result.out + result.err).c_str());
  }
  static std::string Script(const char* name) {
    return test_support::SourceDir() / "tests" / "gateway" / name;
  }
  // Where what is fetched once is kept.
  static std::filesystem::path StateDir() {
    const char* state = std::getenv("SLIPSTREAM_STATE");
    return state != nullptr ? std::filesystem::path(state)
                            : test_support::SourceDir() / ".slipstream";
  }
  static std::filesystem::path ClientsDir() { return StateDir() / "gateway-clients"; }

  Process& gateway() { return *gateway_; }
  const test_support::ProcessEndpoint& endpoint() const { return endpoint_; }

 private:
  std::unique_ptr<Process> gateway_;
  test_support::ProcessEndpoint endpoint_;
};

TEST_F(GatewayTest, SpeaksWebHdfs) {
  RunPython("/usr/bin/python3", {Script("protocol_test.py")});
}

TEST_F(GatewayTest, ServesThePythonClients) {
  RunPython("/usr/bin/python3", {Script("install_clients.py"), ClientsDir()});
  const std::filesystem::path python = ClientsDir() / "bin" / "python";
  RunPython(python, {Script("fsspec_test.py")});
  // The suite that the `hdfs` package tests itself with, but for what is refused by name.
  RunPython(python,
            {"-m",
             "pytest",
             "-q",
             "-p",
             "no:cacheprovider",
             "-k",
             "not TestAcl and not TestSnapshot",
             "--rootdir",
             ClientsDir() / "suite",
             ClientsDir() / "suite" / "test" / "test_client.py"},
            {{"PYTHONPATH", (ClientsDir() / "suite").string()}});
}

TEST_F(GatewayTest, ServesHadoopsShell) {
  RunPython("/usr/bin/python3",
            {Script("hadoop_test.py")},
            {{"HADOOP_JARS", (StateDir() / "hadoop-client").string()}});
}

TEST_F(GatewayTest, HoldsManyConnectionsInBoundedMemory) {
  RunPython("/usr/bin/python3", {Script("load_test.py")});
  // Twice what uploads and downloads may take together.
  constexpr int64_t kMemoryMax = 512 << 20;
  EXPECT_LT(gateway().PeakMemoryBytes(), kMemoryMax);
}

TEST_F(GatewayTest, ReadsOnWhenADatanodeDies) {
  const std::string content = RandomBytes(20 << 20, 1);
  ASSERT_OK(Store("/f", content));
  ASSERT_OK_AND_ASSIGN(const int first, FirstReplicaOf("/f"));
  cluster().KillDatanode(first);
  ASSERT_OK_AND_ASSIGN(
      const test_support::HttpAnswer answer,
      test_support::HttpGet(endpoint().rpc, "/webhdfs/v1/f?op=OPEN", std::chrono::seconds(60)));
  EXPECT_EQ(answer.code, 200);
  EXPECT_TRUE(answer.body == content);
}

TEST_F(GatewayTest, ShowsTheClusterAsItIs) {
  const auto get = [&](std::string_view target) {
    auto answer = test_support::HttpGet(endpoint().rpc, target);
    return answer.ok() ? answer->body : answer.status().ToString();
  };
  ASSERT_OK(Store("/d/f", RandomBytes(1'000, 1)));
  EXPECT_TRUE(Eventually([&] {
    return get("/api/v1/cluster").find(R"("datanodes":{"dead":0,"live":3,"stale":0})") !=
           std::string::npos;
  }));
  EXPECT_NE(get("/api/v1/files?path=/d").find(R"("name":"f","kind":"file","length_bytes":1000)"),
            std::string::npos)
      << get("/api/v1/files?path=/d");
  EXPECT_NE(get("/api/v1/blocks?path=/d/f").find(R"("offset_bytes":0,"length_bytes":1000)"),
            std::string::npos)
      << get("/api/v1/blocks?path=/d/f");
  EXPECT_NE(get("/api/v1/files?path=/none").find(R"("code":"not_found")"), std::string::npos);
  cluster().KillDatanode(0);
  EXPECT_TRUE(Eventually(
      [&] { return get("/api/v1/datanodes").find(R"("state":"dead")") != std::string::npos; }));
}

// A real job says of itself what it does, until it ends.
TEST_F(GatewayTest, ShowsTheJobsAsTheyRun) {
  using test_support::KafkaBroker;
  ASSERT_OK(gateway().Terminate().status());
  const test_support::KafkaClient kafka(KafkaBroker::Shared().bootstrap());
  ASSERT_OK(kafka.CreateTopic("gateway-in", 2));
  ASSERT_OK(kafka.CreateTopic("gateway-out", 2));
  // Nobody has published yet: the topic is waited for.
  StartGateway({"--brokers", KafkaBroker::Shared().bootstrap()});
  const auto get = [&](std::string_view target) {
    auto answer = test_support::HttpGet(endpoint().rpc, target);
    return answer.ok() ? answer->body : answer.status().ToString();
  };
  ASSERT_OK(kafka.Produce("gateway-in", {{.value = R"({"id":1})"}, {.value = R"({"id":2})"}}));
  ASSERT_OK(test_support::WriteFile(
      dir_ / "job.sql",
      "SET 'pipeline.name' = 'gateway-job';\n"
      "CREATE TABLE s (id INT) WITH ('connector' = 'kafka', 'topic' = 'gateway-in',\n"
      "  'scan.startup.mode' = 'earliest-offset', 'format' = 'json');\n"
      "CREATE TABLE t (id INT) WITH ('connector' = 'kafka', 'topic' = 'gateway-out',\n"
      "  'format' = 'json');\n"
      "INSERT INTO t SELECT id FROM s;\n"));
  ASSERT_OK_AND_ASSIGN(
      auto processor,
      Process::Start(Command(
          test_support::ProcessorRun{.job = dir_ / "job.sql",
                                     .brokers = KafkaBroker::Shared().bootstrap(),
                                     .more_flags = {"--state-dir=" + (dir_ / "state").string()}},
          dir_.path(),
          "processor")));
  const auto shows = [&](std::string_view target, std::string_view text) {
    return Eventually([&] { return get(target).find(text) != std::string::npos; });
  };
  EXPECT_TRUE(shows("/api/v1/jobs", R"("job":"gateway-job","rows_in":2,"rows_out":2)"))
      << get("/api/v1/jobs");
  EXPECT_TRUE(shows("/api/v1/tasks", R"("topic":"gateway-in","partition":1)"));
  EXPECT_TRUE(shows("/api/v1/topics", R"("topic":"gateway-in","partitions":2)"));
  ASSERT_OK(processor->Terminate().status());
  EXPECT_TRUE(shows("/api/v1/jobs", R"({"jobs":[]})")) << get("/api/v1/jobs");
}

TEST_F(GatewayTest, SaysWhetherItIsReadyAndEndsCleanly) {
  const auto readiness = [&] {
    auto answer = test_support::HttpGet(endpoint().admin, "/readyz");
    return answer.ok() ? answer->code : 0;
  };
  EXPECT_TRUE(Eventually([&] { return readiness() == 200; }));
  ASSERT_OK_AND_ASSIGN(const auto metrics, test_support::HttpGet(endpoint().admin, "/metrics"));
  EXPECT_NE(metrics.body.find("slipstream_gateway_connections 0"), std::string::npos);
  cluster().KillMaster();
  EXPECT_TRUE(Eventually([&] { return readiness() == 503; }));
  ASSERT_OK_AND_ASSIGN(const test_support::ExitStatus exit, gateway().Terminate());
  EXPECT_EQ(exit.code, 0);
}

}  // namespace
}  // namespace slipstream::dfs
