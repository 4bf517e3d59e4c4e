// The commit protocol on a real broker: a processor is killed before and after every step, stopped
// for longer than its session, and loses its broker; every record comes out exactly once.

#include <algorithm>
#include <csignal>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "common/clock/clock.h"
#include "common/kafka/admin.h"
#include "common/kafka/group_consumer.h"
#include "tests/cluster/commit_harness.h"
#include "tests/support/assert_ok.h"
#include "tests/support/eventually.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {
namespace {

constexpr int kMinimalSessionMs = 3'000;  // three heartbeats

// Test names become job names: only letters, digits and '-'.
std::string JobName(std::string text) {
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '-';
  }
  return text;
}

std::string StepName(const ::testing::TestParamInfo<const char*>& step) {
  std::string name = step.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

class CommitKillTest : public ::testing::TestWithParam<const char*> {};

TEST_P(CommitKillTest, NothingIsLostOrDoubled) {
  const TempDir dir("commit");
  CommitHarness job({.name = JobName(GetParam()),
                     .bootstrap = KafkaBroker::Shared().bootstrap(),
                     .dir = dir.path()});
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto killed,
                       job.Start({.failpoints = std::string(GetParam()) + "=kill@2"}));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, killed->Wait());
  ASSERT_EQ(exit.signal, SIGKILL) << killed->Stderr();

  ASSERT_OK(job.Finish());

  EXPECT_OK(job.Check());
}

INSTANTIATE_TEST_SUITE_P(Steps,
                         CommitKillTest,
                         ::testing::Values("task.mid_batch",
                                           "commit.before_blocks",
                                           "commit.after_blocks",
                                           "commit.before_prepare",
                                           "commit.after_begin",
                                           "commit.after_produce",
                                           "commit.after_offsets",
                                           "commit.after_kafka_commit"),
                         StepName);

TEST(CommitTest, UndisturbedRunWithTwoWorkersInOneProcess) {
  const TempDir dir("commit");
  CommitHarness job(
      {.name = "undisturbed", .bootstrap = KafkaBroker::Shared().bootstrap(), .dir = dir.path()});
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto process, job.Start({.workers = 2}));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());
  ASSERT_EQ(exit.code, 0) << process->Stderr();

  EXPECT_OK(job.Check());

  // A finished job started again has nothing to do, and does nothing.
  ASSERT_OK(job.Finish());
  EXPECT_OK(job.Check());
}

// The worst zombie: stopped in the middle of a transaction for twice its session, its partitions
// taken over by another, and then awake again.
class CommitZombieTest : public ::testing::TestWithParam<const char*> {};

TEST_P(CommitZombieTest, ASleeperLosesItsPartitionsAndDoesNoHarm) {
  const TempDir dir("commit");
  CommitHarness job({.name = JobName(std::string("zombie-") + GetParam()),
                     .bootstrap = KafkaBroker::Shared().bootstrap(),
                     .dir = dir.path(),
                     .session_timeout_ms = kMinimalSessionMs});
  ASSERT_OK(job.Fill());
  const std::string failpoint = GetParam();
  ASSERT_OK_AND_ASSIGN(const auto sleeper, job.Start({.failpoints = failpoint + "=stop@2"}));
  ASSERT_OK(sleeper->WaitForOutput("failpoint " + failpoint + " hit"));

  // The other one gets the partitions when the sleeper's session is over, and finishes the job.
  ASSERT_OK(job.Finish());
  sleeper->Signal(SIGCONT);

  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, sleeper->Wait());
  EXPECT_EQ(exit.code, 0) << sleeper->Stderr();
  EXPECT_OK(job.Check());
}

INSTANTIATE_TEST_SUITE_P(Steps,
                         CommitZombieTest,
                         ::testing::Values("commit.after_blocks",
                                           "commit.after_produce",
                                           "commit.after_offsets"),
                         StepName);

TEST(CommitTest, TheBrokerRestartsInTheMiddle) {
  const TempDir dir("commit");
  ASSERT_OK_AND_ASSIGN(const auto broker, KafkaBroker::Start(dir / "kafka"));
  CommitHarness job({.name = "broker-restart",
                     .bootstrap = broker->bootstrap(),
                     .dir = dir.path(),
                     .batch_delay_ms = 300});
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto process, job.Start({}));
  const KafkaClient client(broker->bootstrap());
  ASSERT_TRUE(Eventually([&] { return client.Count(job.sink()).value_or(0) > 0; }));

  ASSERT_OK(broker->Stop());
  ASSERT_OK(broker->Restart());

  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait(std::chrono::seconds(120)));
  EXPECT_EQ(exit.code, 0) << process->Stderr();
  EXPECT_OK(job.Check());
}

TEST(CommitTest, PartitionsOfAKilledProcessMoveToAnother) {
  const TempDir dir("commit");
  CommitHarness job({.name = "moves",
                     .bootstrap = KafkaBroker::Shared().bootstrap(),
                     .dir = dir.path(),
                     .session_timeout_ms = kMinimalSessionMs,
                     .batch_delay_ms = 200});
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto first, job.Start({}));
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  ASSERT_TRUE(Eventually([&] { return client.Count(job.sink()).value_or(0) > 0; }));
  ASSERT_OK_AND_ASSIGN(const auto second, job.Start({}));
  ASSERT_OK(second->WaitForOutput("task_restored"));

  first->Kill();

  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, second->Wait(std::chrono::seconds(90)));
  EXPECT_EQ(exit.code, 0) << second->Stderr();
  EXPECT_OK(job.Check());
}

TEST(CommitTest, FreshRunDiscardsWhatWasCommitted) {
  const TempDir dir("commit");
  CommitHarness job({.name = "fresh",
                     .bootstrap = KafkaBroker::Shared().bootstrap(),
                     .dir = dir.path(),
                     .record_count = 1'000,
                     .session_timeout_ms = kMinimalSessionMs});
  ASSERT_OK(job.Fill());
  ASSERT_OK(job.Finish());

  ASSERT_OK_AND_ASSIGN(const auto process, job.Start({.more_flags = {"--fresh"}}));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());
  ASSERT_EQ(exit.code, 0) << process->Stderr();

  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  EXPECT_EQ(client.Count(job.sink()).value_or(0), 2'000);
}

TEST(CommitTest, TerminatedProcessCommitsWhatItHasAndEndsWell) {
  const TempDir dir("commit");
  CommitHarness job({.name = "terminated",
                     .bootstrap = KafkaBroker::Shared().bootstrap(),
                     .dir = dir.path(),
                     .batch_delay_ms = 100});
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto process, job.Start({}));
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  ASSERT_TRUE(Eventually([&] { return client.Count(job.sink()).value_or(0) > 0; }));

  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Terminate());
  EXPECT_EQ(exit.code, 0) << process->Stderr();

  ASSERT_OK(job.Finish());
  EXPECT_OK(job.Check());
}

// Commits that take longer than the interval between them must not leave room for one batch each.
TEST(CommitTest, SlowCommitsTakeAnIntervalsRecordsAtOnce) {
  const TempDir dir("commit");
  CommitHarness job(
      {.name = "slow-commits", .bootstrap = KafkaBroker::Shared().bootstrap(), .dir = dir.path()});
  ASSERT_OK(job.Fill());
  const std::string step = "commit.before_blocks";
  ASSERT_OK_AND_ASSIGN(const auto process,
                       job.Start({.failpoints = step + "=delay:1200",
                                  .more_flags = {"--commit-interval-ms", "1000"}}));

  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());

  EXPECT_EQ(exit.code, 0) << process->Stderr();
  int commit_count = 0;
  const std::string output = process->Stderr();
  for (size_t at = output.find(step); at != std::string::npos; at = output.find(step, at + 1))
    ++commit_count;
  // Two at the least: the one that pins the start and the last; one batch each makes nine.
  EXPECT_LE(commit_count, 5) << output;
  EXPECT_OK(job.Check());
}

// The broker aborts a transaction that takes longer than it was said to, and would abort the next
// for the same reason, if that were not given longer.
TEST(CommitTest, ATransactionLongerThanItsTimeoutIsGivenLonger) {
  const TempDir dir("commit");
  CommitHarness job({.name = "long-transactions",
                     .bootstrap = KafkaBroker::Shared().bootstrap(),
                     .dir = dir.path(),
                     .record_count = 3'000,
                     .session_timeout_ms = kMinimalSessionMs});  // the transaction's as well
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto process,
                       job.Start({.failpoints = "commit.after_produce=delay:6000",
                                  .more_flags = {"--commit-interval-ms", "1000"}}));

  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait(std::chrono::seconds(90)));

  EXPECT_EQ(exit.code, 0) << process->Stderr();
  EXPECT_NE(process->Stdout().find("ms of the timeout of 3000 ms were over"), std::string::npos);
  EXPECT_NE(process->Stdout().find("next_timeout_ms=12000"), std::string::npos);
  EXPECT_EQ(process->Stdout().find("next_timeout_ms=48000"), std::string::npos);
  EXPECT_OK(job.Check());
}

// What goes on in a long transaction: the consumer is not polled for longer than it may.
TEST(CommitTest, AMemberBusyForLongKeepsItsPlace) {
  struct Listener final : kafka::GroupConsumer::Listener {
    void OnAssigned(const std::vector<kafka::TopicPartition>& partitions,
                    const kafka::GroupMetadata& /*group*/) override {
      assigned = partitions.size();
      ASSERT_TRUE(consumer->Assign({}).ok());
    }
    void OnRevoked(const std::vector<kafka::TopicPartition>& /*partitions*/,
                   bool /*is_lost*/) override {
      ++revocations;
    }
    kafka::GroupConsumer* consumer = nullptr;
    size_t assigned = 0;
    int revocations = 0;
  };
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  ASSERT_OK(client.CreateTopic("busy", 2));
  constexpr std::chrono::milliseconds kPollInterval(kMinimalSessionMs);
  Listener listener;
  ASSERT_OK_AND_ASSIGN(
      const auto consumer,
      kafka::GroupConsumer::Create(
          {.properties = {{"bootstrap.servers", KafkaBroker::Shared().bootstrap()}},
           .group_id = "busy",
           .session_timeout = kPollInterval,
           .max_poll_interval = kPollInterval},
          listener));
  listener.consumer = consumer.get();
  ASSERT_OK(consumer->Subscribe({"busy"}));
  ASSERT_TRUE(Eventually([&] {
    return consumer->Poll(std::chrono::milliseconds(100)).ok() && listener.assigned == 2;
  }));
  const Clock& clock = SystemClock::Get();
  const SteadyTime busy_until = clock.Now() + 3 * kPollInterval;

  ASSERT_TRUE(Eventually([&] {
    consumer->KeepPlace();
    return clock.Now() >= busy_until;
  }));
  // The first would only tell of the interval.
  for (int i = 0; i < 3; ++i)
    ASSERT_OK(consumer->Poll(std::chrono::milliseconds(300)));

  EXPECT_EQ(listener.revocations, 0);
  consumer->Close();
}

// Every batch takes longer than the commit interval, so a commit is due after each.
TEST(CommitTest, AllPartitionsGetTheirTurn) {
  const TempDir dir("commit");
  CommitHarness job({.name = "turns",
                     .bootstrap = KafkaBroker::Shared().bootstrap(),
                     .dir = dir.path(),
                     .batch_delay_ms = 600});
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto process, job.Start({}));
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  std::vector<KafkaRecord> records;

  // Of two batches, and no partition has more than three.
  ASSERT_TRUE(Eventually([&] {
    records = client.ReadAll(job.sink()).value_or(records);
    return records.size() > 4'096;
  }));

  std::set<int32_t> partitions;  // keys lie in the source as in the sink
  for (const KafkaRecord& record : records)
    partitions.insert(record.partition);
  EXPECT_GE(partitions.size(), 2U);
  process->Kill();
}

// An idle partition's time follows that of the others, so that it holds no result back.
TEST(CommitTest, AnIdlePartitionFollowsTheTimeOfTheOthers) {
  const TempDir dir("commit");
  CommitHarness job({.name = "idle",
                     .bootstrap = KafkaBroker::Shared().bootstrap(),
                     .dir = dir.path(),
                     .record_count = 0});
  ASSERT_OK(job.Fill());
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  std::vector<KafkaRecord> records;
  for (int32_t partition : {0, 2}) {
    records.push_back({.key = "k0", .value = "v", .partition = partition, .timestamp_ms = 5'000});
  }
  ASSERT_OK(client.Produce(job.source(), records));
  ASSERT_OK_AND_ASSIGN(
      const auto process,
      job.Start({.workers = 2, .more_flags = {"--unbounded", "--idle-timeout-ms", "3000"}}));

  // Partitions 0 and 2 go idle too, in the end; before that, 1 must have been taken along. One that
  // is idle from the start declares it after the timeout, so keep the others awake meanwhile.
  int64_t now_ms = 5'000;
  EXPECT_TRUE(Eventually(
      [&] {
        now_ms += 1'000;
        for (KafkaRecord& record : records)
          record.timestamp_ms = now_ms;
        if (!client.Produce(job.source(), records).ok()) return false;
        const auto counts = client.ReadAll(job.sink() + "-counts");
        return counts.ok() && std::any_of(counts->begin(), counts->end(), [](const auto& record) {
                 return record.key == "advanced-1";
               });
      },
      std::chrono::seconds(30),
      std::chrono::milliseconds(300)));
  ASSERT_OK(process->Terminate());
}

TEST(CommitTest, BadRecordsGoToTheDeadLettersWithTheirOrigin) {
  const TempDir dir("commit");
  CommitHarness job({.name = "dead",
                     .bootstrap = KafkaBroker::Shared().bootstrap(),
                     .dir = dir.path(),
                     .record_count = 100});
  ASSERT_OK(job.Fill());
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  ASSERT_OK_AND_ASSIGN(const int64_t before, client.Count(job.source()));
  ASSERT_EQ(before, 100);
  ASSERT_OK(client.Produce(job.source(), {{.value = "no key", .partition = 1}}));

  ASSERT_OK(job.Finish());

  EXPECT_OK(job.Check());
  ASSERT_OK_AND_ASSIGN(const auto letters, client.ReadAll(job.source() + ".dead-letter"));
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].value, "no key");
  std::map<std::string, std::string> headers(letters[0].headers.begin(), letters[0].headers.end());
  EXPECT_EQ(headers["slipstream.topic"], job.source());
  EXPECT_EQ(headers["slipstream.partition"], "1");
  EXPECT_EQ(headers["slipstream.error"], "key or value is missing");
  EXPECT_FALSE(headers["slipstream.offset"].empty());
}

// The counts live where their keys lay when the job began, so a topic that grows stops it, loudly.
TEST(CommitTest, AGrownTopicStopsAJobWithState) {
  const TempDir dir("commit");
  CommitHarness job({.name = "grown",
                     .bootstrap = KafkaBroker::Shared().bootstrap(),
                     .dir = dir.path(),
                     .record_count = 100});
  ASSERT_OK(job.Fill());
  ASSERT_OK(job.Finish());
  ASSERT_OK_AND_ASSIGN(const auto admin,
                       kafka::Admin::Create({.properties = {{"bootstrap.servers",
                                                             KafkaBroker::Shared().bootstrap()}}}));
  ASSERT_OK(admin->GrowTopic(job.source(), 5));

  ASSERT_OK_AND_ASSIGN(const auto process, job.Start({}));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());

  EXPECT_EQ(exit.code, 1);
  EXPECT_NE(process->Stderr().find("the topic has grown"), std::string::npos) << process->Stderr();
}

// The commonest Kafka trouble: the address one knows answers, and names another that does not.
TEST(CommitTest, AWrongAdvertisedListenerIsNamed) {
  const TempDir dir("commit");
  ASSERT_OK_AND_ASSIGN(const auto broker, KafkaBroker::Start(dir / "kafka"));
  CommitHarness job({.name = "advertised", .bootstrap = broker->bootstrap(), .dir = dir.path()});
  ASSERT_OK(broker->Stop());
  const auto properties = dir / "kafka/server.properties";
  const std::string advertised = "advertised.listeners=PLAINTEXT://";
  std::string config = ReadFile(properties);
  config.replace(config.find(advertised + broker->bootstrap()),
                 advertised.size() + broker->bootstrap().size(),
                 advertised + "127.0.0.1:1");
  ASSERT_OK(WriteFile(properties, config));
  ASSERT_OK_AND_ASSIGN(
      const auto restarted,
      Process::Start(
          {.program = "/bin/bash",
           .args = {SourceDir() / "deploy/kafka/kafka.sh", "run", "--dir", dir / "kafka"},
           .dir = dir.path(),
           .name = "broker"}));

  ASSERT_OK_AND_ASSIGN(const auto process,
                       job.Start({.more_flags = {"--connect-timeout-ms", "10000"}}));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());

  EXPECT_EQ(exit.code, 1);
  EXPECT_NE(process->Stderr().find("kafka at " + broker->bootstrap() + " answers"),
            std::string::npos);
  EXPECT_NE(process->Stderr().find("127.0.0.1:1,"), std::string::npos) << process->Stderr();
}

TEST(CommitTest, StartWithoutBrokerGivesUpWithTheReason) {
  const TempDir dir("commit");
  CommitHarness job({.name = "nobody",
                     .bootstrap = "127.0.0.1:" + std::to_string(FreePort()),
                     .dir = dir.path()});
  ASSERT_OK_AND_ASSIGN(const auto process,
                       job.Start({.more_flags = {"--connect-timeout-ms", "1500"}}));

  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());

  EXPECT_EQ(exit.code, 1);
  EXPECT_NE(process->Stderr().find("no kafka broker answers at 127.0.0.1:"), std::string::npos)
      << process->Stderr();
}

}  // namespace
}  // namespace slipstream::test_support
