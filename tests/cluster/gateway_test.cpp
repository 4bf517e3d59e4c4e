#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/cluster/dfs_fixture.h"
#include "tests/support/http_get.h"
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

  void StartGateway() {
    ASSERT_OK_AND_ASSIGN(gateway_,
                         Process::Start({.program = "gateway",
                                         .args = {"--master",
                                                  cluster().master_address(),
                                                  "--listen",
                                                  "127.0.0.1:0",
                                                  "--memory=256MiB",
                                                  "--timeout-seconds=20"},
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
