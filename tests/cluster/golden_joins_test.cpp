// The golden queries of joins (tests/sql/joins.test, time_joins.test) on a real broker, killed at a
// random step of a random commit and taken up by another process: the rows are those of a run that
// nothing happens to, each once.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/sql/golden_case.h"
#include "tests/support/assert_ok.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {
namespace {

using sql::GoldenCase;

constexpr std::string_view kInput = "input ";
constexpr std::string_view kPrint = "WITH ('connector' = 'print')";

// Those over several topics that give rows of one table, which a topic can take once the input
// ends. A temporal join of input that ends is refused.
std::vector<GoldenCase> Joins() {
  std::vector<GoldenCase> joins;
  for (GoldenCase& one : sql::ReadGoldenCases((SourceDir() / "tests/sql").string())) {
    if (!one.file.ends_with("joins.test") || one.Has("error") || !one.Has("job")) continue;
    const std::string job = one.Text("job");
    const bool has_topics =
        std::any_of(one.sections.begin(), one.sections.end(), [](const auto& of) {
          return of.first.starts_with(kInput);
        });
    if (!has_topics || job.find(kPrint) == std::string::npos ||
        job.find("FOR SYSTEM_TIME") != std::string::npos) {
      continue;
    }
    joins.push_back(std::move(one));
  }
  return joins;
}

void ReplaceAll(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

class GoldenJoinTest : public ::testing::TestWithParam<GoldenCase> {
 protected:
  // The case's job over topics of its own, under the name.
  Status WriteJob(const std::string& name) const {
    std::string job = GetParam().Text("job");
    ReplaceAll(
        job,
        std::string(kPrint),
        fmt::format("WITH ('connector' = 'kafka', 'topic' = '{}-out', 'format' = 'json')", name));
    for (const auto& [title, lines] : GetParam().sections) {
      if (!title.starts_with(kInput)) continue;
      const std::string topic = title.substr(kInput.size());
      ReplaceAll(job,
                 fmt::format("'topic' = '{}'", topic),
                 fmt::format(
                     "'topic' = '{}-{}', 'scan.startup.mode' = 'earliest-offset'", topics_, topic));
    }
    RETURN_IF_ERROR(client_.CreateTopic(name + "-out", 1));
    return WriteFile(dir_ / (name + ".sql"),
                     fmt::format("SET 'pipeline.name' = '{}';\n{}", name, job));
  }
  Status Fill() const {
    for (const auto& [title, lines] : GetParam().sections) {
      if (!title.starts_with(kInput)) continue;
      const std::string topic = fmt::format("{}-{}", topics_, title.substr(kInput.size()));
      RETURN_IF_ERROR(client_.CreateTopic(topic, 1));
      std::vector<KafkaRecord> records;
      for (const std::string& line : lines)
        records.push_back({.value = line});
      RETURN_IF_ERROR(client_.Produce(topic, records));
    }
    return {};
  }
  Result<ExitStatus> Run(const std::string& name, const std::string& failpoints = "") {
    const int number = starts_++;
    const ProcessorRun run{.job = dir_ / (name + ".sql"),
                           .brokers = KafkaBroker::Shared().bootstrap(),
                           .is_bounded = true,
                           .failpoints = failpoints,
                           // Under the name of the process that died: it need not be waited for.
                           .more_flags = {"--state-dir=" + (dir_ / (name + "-state")).string(),
                                          "--commit-interval=20ms"}};
    ASSIGN_OR_RETURN(const auto process,
                     Process::Start(Command(run, dir_.path(), fmt::format("run-{}", number))));
    ASSIGN_OR_RETURN(const ExitStatus exit, process->Wait());
    stderr_ = process->Stderr();
    return exit;
  }
  // Sorted.
  std::vector<std::string> Rows(const std::string& name) const {
    std::vector<std::string> rows;
    const auto records = client_.ReadAll(name + "-out");
    EXPECT_OK(records.status());
    if (!records.ok()) return rows;
    for (const KafkaRecord& record : *records)
      rows.push_back(record.value.value_or("(deleted)"));
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  const TempDir dir_{"golden-joins"};
  const KafkaClient client_{KafkaBroker::Shared().bootstrap()};
  std::string topics_;
  std::string stderr_;
  int starts_ = 0;
};

TEST_P(GoldenJoinTest, GivesTheSameRowsWhenItIsKilled) {
  const uint64_t hash = std::hash<std::string>()(GetParam().file + GetParam().name);
  topics_ = fmt::format("joins-{:x}", hash);
  const char* const given = std::getenv("SLIPSTREAM_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : hash;
  std::mt19937_64 random(seed);
  ASSERT_OK(Fill());
  ASSERT_OK(WriteJob(topics_ + "-whole"));
  ASSERT_OK(WriteJob(topics_ + "-killed"));
  ASSERT_OK_AND_ASSIGN(const ExitStatus whole, Run(topics_ + "-whole"));
  ASSERT_EQ(whole.code, 0) << stderr_;

  const std::vector<std::string> steps = {"commit.after_begin",
                                          "commit.after_produce",
                                          "commit.after_offsets",
                                          "commit.after_kafka_commit"};
  const std::string killed_at = fmt::format("{}=kill@{}", steps[random() % steps.size()], 2);
  SCOPED_TRACE(fmt::format("SLIPSTREAM_SEED={} {}", seed, killed_at));
  // Killed twice: of few records there are few commits, and the second process makes others.
  for (const std::string& at : {killed_at, fmt::format("{}=kill@1", steps[random() % 4])}) {
    ASSERT_OK_AND_ASSIGN(const ExitStatus killed, Run(topics_ + "-killed", at));
    ASSERT_TRUE(killed.signal == SIGKILL || killed.code == 0) << stderr_;
    EXPECT_TRUE(at != killed_at || killed.signal == SIGKILL) << stderr_;
  }
  ASSERT_OK_AND_ASSIGN(const ExitStatus last, Run(topics_ + "-killed"));
  ASSERT_EQ(last.code, 0) << stderr_;

  const std::vector<std::string>& expected = GetParam().sections.at("output");
  EXPECT_EQ(Rows(topics_ + "-whole").size(), expected.size());
  EXPECT_EQ(Rows(topics_ + "-killed"), Rows(topics_ + "-whole"));
}

INSTANTIATE_TEST_SUITE_P(Joins, GoldenJoinTest, ::testing::ValuesIn(Joins()), [](const auto& one) {
  std::string name = one.param.name;
  for (char& c : name)
    c = std::isalnum(static_cast<unsigned char>(c)) == 0 ? '_' : c;
  return name;
});

}  // namespace
}  // namespace slipstream::test_support
