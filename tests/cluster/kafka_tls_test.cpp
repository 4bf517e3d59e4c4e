// A Kafka that wants TLS, a certificate and a password: everything that talks to it says so by the
// same option, out of a file, so that the password stands on no command line.

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/tls/tls_dir.h"
#include "tests/support/assert_ok.h"
#include "tests/support/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/http_get.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPassword[] = "open-sesame";
constexpr char kJob[] = R"(
CREATE TABLE flights (id BIGINT, carrier STRING) WITH (
  'connector' = 'kafka', 'topic' = 'secured', 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset');
CREATE TABLE carriers (carrier STRING, flights BIGINT, PRIMARY KEY (carrier) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'secured-carriers', 'key.format' = 'json', 'value.format' = 'json');
INSERT INTO carriers SELECT carrier, COUNT(*) FROM flights GROUP BY carrier;
)";

class KafkaTlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(certificates_.Make({"node"}));
    const std::string tls_dir = certificates_.DirOf("node");
    const std::string keys = tls::HostFile(tls_dir);
    const std::string authority = tls::AuthorityFile(tls_dir);
    ASSERT_OK_AND_ASSIGN(
        kafka_,
        KafkaBroker::StartWith(
            dir_.path(),
            "listener.security.protocol.map=PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT\n"
            "ssl.keystore.type=PEM\nssl.keystore.location=" +
                keys + "\nssl.truststore.type=PEM\nssl.truststore.location=" + authority +
                "\nlistener.name.plaintext.ssl.client.auth=required\nsasl.enabled.mechanisms="
                "PLAIN\n"
                "sasl.mechanism.inter.broker.protocol=PLAIN\n"
                "listener.name.plaintext.plain.sasl.jaas.config="
                "org.apache.kafka.common.security.plain.PlainLoginModule required "
                "username=\"slipstream\" password=\"" +
                kPassword + "\" user_slipstream=\"" + kPassword + "\";\n"));
    for (const char* command : {"flights", "sensors", "run"}) {
      ASSERT_OK(WriteFile(ConfigOf(command), Config(command, tls_dir, kPassword)));
    }
  }

  // For --config; the options of a subcommand stand in a table of its name.
  static std::string Config(const std::string& command,
                            const std::string& tls_dir,
                            const std::string& password) {
    const std::string keys = tls::HostFile(tls_dir);
    return "[" + command +
           "]\nkafka-property = [\"security.protocol=sasl_ssl\", \"sasl.mechanism=PLAIN\", "
           "\"sasl.username=slipstream\", \"sasl.password=" +
           password + "\", \"ssl.ca.location=" + tls::AuthorityFile(tls_dir) +
           "\", \"ssl.certificate.location=" + keys + "\", \"ssl.key.location=" + keys + "\"]\n";
  }
  std::string ConfigOf(const std::string& command) const {
    return (dir_ / (command + ".toml")).string();
  }

  Result<ToolResult> Produce(const std::string& config,
                             const std::vector<std::string>& flags = {}) const {
    std::vector<std::string> args = {"flights", "--synthetic", "--flights=500", "--topic=secured"};
    args.push_back("--brokers=" + kafka_->bootstrap());
    args.insert(args.end(), flags.begin(), flags.end());
    if (!config.empty()) args.insert(args.begin(), "--config=" + config);
    return RunTool({.program = "producer", .args = std::move(args), .environment = {}});
  }

  const TempDir dir_{"kafka-tls"};
  const Certificates certificates_{dir_ / "certificates"};
  std::unique_ptr<KafkaBroker> kafka_;
};

TEST_F(KafkaTlsTest, ProducerProcessorAndGatewayReachItByTheirProperties) {
  ASSERT_OK(WriteFile(dir_ / "job.sql", kJob));

  ASSERT_OK_AND_ASSIGN(const ToolResult produced, Produce(ConfigOf("flights")));
  EXPECT_EQ(produced.exit.code, 0) << produced.err;
  EXPECT_THAT(produced.err, HasSubstr("rows_acknowledged=500"));
  ASSERT_OK_AND_ASSIGN(const ToolResult counted,
                       RunTool({.program = "processor",
                                .args = {"--config=" + ConfigOf("run"),
                                         "run",
                                         (dir_ / "job.sql").string(),
                                         "--brokers=" + kafka_->bootstrap(),
                                         "--state-dir=" + (dir_ / "state").string(),
                                         "--bounded"},
                                .environment = {}}));
  EXPECT_EQ(counted.exit.code, 0) << counted.err.substr(counted.err.size() / 2);
  // The gateway has no subcommand, and takes the same from its environment.
  const std::string keys = tls::HostFile(certificates_.DirOf("node"));
  const std::string properties =
      "[security.protocol=sasl_ssl,sasl.mechanism=PLAIN,sasl.username=slipstream,sasl.password=" +
      std::string(kPassword) +
      ",ssl.ca.location=" + tls::AuthorityFile(certificates_.DirOf("node")) +
      ",ssl.certificate.location=" + keys + ",ssl.key.location=" + keys + "]";
  ASSERT_OK_AND_ASSIGN(
      const auto gateway,
      Process::Start({.program = "gateway",
                      .args = {"--listen=127.0.0.1:0", "--brokers=" + kafka_->bootstrap()},
                      .environment = {{"SLIPSTREAM_KAFKA_PROPERTY", properties}},
                      .dir = dir_.path(),
                      .is_daemon = true}));
  ASSERT_OK_AND_ASSIGN(const ProcessEndpoint endpoint, gateway->WaitForEndpoint());
  const auto body = [&](const std::string& path) {
    const auto answer = HttpGet(endpoint.rpc, path);
    return answer.ok() ? answer->body : answer.status().ToString();
  };
  EXPECT_THAT(body("/api/v1/topics"), HasSubstr("\"secured-carriers\""));
  EXPECT_THAT(body("/api/v1/records?topic=secured-carriers"), HasSubstr("\\\"flights\\\":"));
  // The job has ended and says nothing more; that the gateway knows is an answer of Kafka's.
  EXPECT_TRUE(Eventually([&] { return body("/api/v1/jobs") == "{\"jobs\":[]}"; }))
      << body("/api/v1/jobs");
  for (const std::string& said : {produced.err, counted.err, gateway->Stdout(), gateway->Stderr()})
    EXPECT_THAT(said, Not(HasSubstr(kPassword)));
}

TEST_F(KafkaTlsTest, WithoutThemOrWithAnotherPasswordNobodyGetsIn) {
  const std::filesystem::path wrong = dir_ / "wrong.toml";
  ASSERT_OK(WriteFile(wrong, Config("flights", certificates_.DirOf("node"), "open-barley")));

  ASSERT_OK_AND_ASSIGN(const ToolResult guessed, Produce(wrong.string(), {"--connect-timeout=3s"}));
  EXPECT_EQ(guessed.exit.code, 1) << guessed.err;
  ASSERT_OK_AND_ASSIGN(const ToolResult without, Produce("", {"--connect-timeout=3s"}));
  EXPECT_EQ(without.exit.code, 1) << without.err;
}

// Beyond loopback a producer's admin port is for those with a certificate, as every daemon's is.
TEST_F(KafkaTlsTest, AProducersAdminPortIsHttpsBeyondLoopback) {
  const std::vector<std::string> args = {"--config=" + ConfigOf("sensors"),
                                         "sensors",
                                         "--brokers=" + kafka_->bootstrap(),
                                         "--admin-listen=0.0.0.0:0"};
  ASSERT_OK_AND_ASSIGN(const ToolResult refused,
                       RunTool({.program = "producer", .args = args, .environment = {}}));
  EXPECT_EQ(refused.exit.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("--tls-dir"));

  std::vector<std::string> with_tls = args;
  with_tls.push_back("--tls-dir=" + certificates_.DirOf("node"));
  ASSERT_OK_AND_ASSIGN(const auto producer,
                       Process::Start({.program = "producer",
                                       .args = with_tls,
                                       .environment = {},
                                       .dir = dir_.path(),
                                       .is_daemon = true}));
  ASSERT_OK_AND_ASSIGN(const ProcessEndpoint endpoint, producer->WaitForEndpoint());
  const std::string url =
      "https://localhost" + endpoint.admin.substr(endpoint.admin.rfind(':')) + "/livez";
  const auto curl = [&](std::vector<std::string> flags) {
    flags.insert(flags.end(),
                 {"-sS", "--cacert", tls::AuthorityFile(certificates_.DirOf("node")), url});
    return RunTool({.program = "/usr/bin/curl", .args = std::move(flags), .environment = {}})->out;
  };
  EXPECT_EQ(curl({}), "");
  EXPECT_EQ(curl({"--cert", tls::HostFile(certificates_.DirOf("node"))}), "ok\n");
}

}  // namespace
}  // namespace slipstream::test_support
