// The late marker: a broker answers the end of a transaction before it has written the markers that
// make its records visible. Between the two the offsets of a partition may be readable and its
// changelog not; whoever takes the partition over then must wait for the changelog.
//
// Two brokers make the moment last: the coordinators of transactions and groups live on the first,
// some of the changelog on the second, and the way from the first to the second leads through a
// gate, which is shut.

#include <csignal>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/cluster/commit_harness.h"
#include "tests/support/assert_ok.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/tcp_gate.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {
namespace {

// The value of a property in a file of them.
std::string Property(const std::string& text, const std::string& name) {
  const size_t line = ("\n" + text).find("\n" + name + "=");
  if (line == std::string::npos) return "";
  const size_t begin = line + name.size() + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

std::string WithProperty(std::string text, const std::string& name, const std::string& value) {
  const std::string old = name + "=" + Property(text, name);
  const size_t at = text.find(old);
  if (at == std::string::npos) return text + name + "=" + value + "\n";
  return text.replace(at, old.size(), name + "=" + value);
}

// One cluster of two brokers that talk to one another over listeners of their own. The second is
// no controller, and is reached by the first through the gate alone.
class TwoBrokers {
 public:
  Status StartFirst() {
    ASSIGN_OR_RETURN(first_, KafkaBroker::Start(dir_ / "first"));
    RETURN_IF_ERROR(first_->Stop());
    const std::string config = ReadFile(dir_ / "first/server.properties");
    const std::string internal = fmt::format("INTERNAL://127.0.0.1:{}", FreePort());
    const std::string both =
        WithProperty(WithListeners(config),
                     "listeners",
                     fmt::format("{},{}", Property(config, "listeners"), internal));
    RETURN_IF_ERROR(WriteFile(
        dir_ / "first/server.properties",
        WithProperty(both,
                     "advertised.listeners",
                     fmt::format("{},{}", Property(config, "advertised.listeners"), internal))));
    return first_->Restart();
  }

  Status StartSecond() {
    const uint16_t internal_port = FreePort();
    ASSIGN_OR_RETURN(gate_, TcpGate::Start(internal_port));
    const std::string bootstrap = fmt::format("127.0.0.1:{}", FreePort());
    const auto dir = dir_ / "second";
    std::filesystem::create_directories(dir / "data");
    std::string config = WithListeners(ReadFile(dir_ / "first/server.properties"));
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
             {"process.roles", "broker"},
             {"node.id", "2"},
             {"log.dirs", dir / "data"},
             {"listeners",
              fmt::format("PLAINTEXT://{},INTERNAL://127.0.0.1:{}", bootstrap, internal_port)},
             {"advertised.listeners",
              fmt::format("PLAINTEXT://{},INTERNAL://127.0.0.1:{}", bootstrap, gate_->port())}}) {
      config = WithProperty(config, name, value);
    }
    RETURN_IF_ERROR(WriteFile(dir / "server.properties", config));
    RETURN_IF_ERROR(WriteFile(dir / "bootstrap", bootstrap));
    const std::string meta = ReadFile(dir_ / "first/data/meta.properties");
    RETURN_IF_ERROR(WriteFile(
        dir / "data/meta.properties",
        fmt::format("version=1\ncluster.id={}\nnode.id=2\n", Property(meta, "cluster.id"))));
    ASSIGN_OR_RETURN(second_, KafkaBroker::Start(dir));
    return {};
  }

  const std::string& bootstrap() const { return first_->bootstrap(); }
  TcpGate& gate() { return *gate_; }

 private:
  static std::string WithListeners(const std::string& config) {
    return WithProperty(WithProperty(config, "inter.broker.listener.name", "INTERNAL"),
                        "listener.security.protocol.map",
                        "PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT");
  }

  const TempDir dir_{"two-brokers"};
  std::unique_ptr<KafkaBroker> first_;
  std::unique_ptr<TcpGate> gate_;
  std::unique_ptr<KafkaBroker> second_;
};

TEST(CommitMarkerTest, ATakeoverWaitsForAMarkerThatIsLate) {
  const TempDir dir("commit");
  const TempDir first_dir("commit");
  TwoBrokers brokers;
  ASSERT_OK(brokers.StartFirst());
  // Kafka's own topics are made by their first use: of one broker, they are all there.
  CommitHarness first_use({.name = "first-use",
                           .bootstrap = brokers.bootstrap(),
                           .dir = first_dir.path(),
                           .record_count = 100,
                           .batch_delay_ms = 0});
  ASSERT_OK(first_use.Fill());
  ASSERT_OK(first_use.Finish());
  ASSERT_OK(brokers.StartSecond());
  CommitHarness job({.name = "late-marker",
                     .bootstrap = brokers.bootstrap(),
                     .dir = dir.path(),
                     .record_count = 60'000,
                     .session_timeout_ms = 3'000});
  ASSERT_OK(job.Fill());
  // So long an interval that all partitions are in the second commit, those on the second broker
  // among them.
  ASSERT_OK_AND_ASSIGN(
      const auto killed,
      job.Start({.failpoints = "commit.after_offsets=stop@2;commit.after_kafka_commit=kill@2",
                 .more_flags = {"--commit-interval-ms", "1000"}}));
  ASSERT_OK(killed->WaitForOutput("failpoint commit.after_offsets hit"));

  brokers.gate().Shut();
  killed->Signal(SIGCONT);
  ASSERT_OK_AND_ASSIGN(const ExitStatus killed_exit, killed->Wait());
  ASSERT_EQ(killed_exit.signal, SIGKILL) << killed->Stderr();

  // Under another name: its own transactions would wait for the end of the old ones by themselves.
  ASSERT_OK_AND_ASSIGN(const auto heir, job.Start({.state_dir = "heir"}));
  ASSERT_OK(heir->WaitForOutput("for=\"mark 2/"));
  EXPECT_EQ(heir->Stdout().find("input_ended"), std::string::npos);
  brokers.gate().Open();

  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, heir->Wait());
  EXPECT_EQ(exit.code, 0) << heir->Stderr();
  EXPECT_OK(job.Check());
}

}  // namespace
}  // namespace slipstream::test_support
