#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "processor/savepoint/savepoint_codec.h"
#include "tests/support/assert_ok.h"

namespace slipstream::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

SavepointHeader Header() {
  return {
      .id = "0f0e",
      .job_name = "delays",
      .taken_at_ms = 1'700'000'000'123,
      .fingerprint = "cafe",
      .state_text = "Window\nexchange",
      .job = {.uuid = "1b4e", .inputs = {{"flights", {-1, 7}}, {"delays-repartition-1", {-1}}}}};
}

Mark SomeMark() {
  Mark mark;
  mark.pair = {.epoch = 12, .incarnation = 3};
  mark.position = 4'711;
  mark.watermark = 99;
  mark.fingerprint = "cafe";
  return mark;
}

struct Seen final : SavepointReader::Visitor {
  Status OnTask(const SavepointTask& task) override {
    tasks.push_back(task);
    return {};
  }
  Status OnKey(ChangelogKind kind, std::string_view key, std::string_view value) override {
    keys.emplace_back(tasks.size(), kind, key, value);
    return {};
  }
  Status OnRecord(std::string_view value) override {
    records.emplace_back(tasks.size(), value);
    return {};
  }

  std::vector<SavepointTask> tasks;
  std::vector<std::tuple<size_t, ChangelogKind, std::string, std::string>> keys;
  std::vector<std::pair<size_t, std::string>> records;
};

class SavepointTest : public ::testing::Test {
 protected:
  SavepointTest() {
    SavepointWriter writer([this](std::string_view bytes) {
      bytes_ += bytes;
      return Status();
    });
    EXPECT_OK(writer.Begin(Header()));
    EXPECT_OK(writer.BeginTask(source_));
    EXPECT_OK(writer.AddKey(ChangelogKind::kState, "a", "1"));
    EXPECT_OK(writer.AddKey(ChangelogKind::kState, "", std::string(100, 'v')));
    EXPECT_OK(writer.BeginTask(stage_));
    EXPECT_OK(writer.AddKey(ChangelogKind::kTime, "S0", ""));
    EXPECT_OK(writer.AddRecord("row"));
    EXPECT_OK(writer.AddRecord(""));
    EXPECT_OK(writer.End());
    counts_ = writer.counts();
  }

  // Reads it in chunks.
  static Result<SavepointCounts> Read(std::string bytes, size_t chunk_bytes, Seen& seen) {
    SavepointReader reader([bytes = std::move(bytes), chunk_bytes, offset = size_t{0}]() mutable {
      const std::string chunk = bytes.substr(offset, chunk_bytes);
      offset += chunk.size();
      return Result<std::string>(chunk);
    });
    ASSIGN_OR_RETURN(const SavepointHeader header, reader.ReadHeader());
    EXPECT_EQ(header, Header());
    return reader.ReadTasks(seen);
  }

  const SavepointTask source_{.stage = 0, .input = 0, .partition = 1, .mark = SomeMark()};
  const SavepointTask stage_{.stage = 1, .input = 1, .partition = 0, .mark = {}};
  std::string bytes_;
  SavepointCounts counts_;
};

TEST_F(SavepointTest, GivesBackWhatWasWritten) {
  for (const size_t chunk_bytes : {size_t{1}, size_t{7}, bytes_.size()}) {
    Seen seen;
    ASSERT_OK_AND_ASSIGN(const SavepointCounts counts, Read(bytes_, chunk_bytes, seen));
    EXPECT_EQ(counts, (SavepointCounts{.tasks = 2, .keys = 3, .records = 2}));
    EXPECT_EQ(counts, counts_);
    EXPECT_THAT(seen.tasks, ElementsAre(source_, stage_));
    EXPECT_THAT(seen.keys,
                ElementsAre(std::tuple(1U, ChangelogKind::kState, "a", "1"),
                            std::tuple(1U, ChangelogKind::kState, "", std::string(100, 'v')),
                            std::tuple(2U, ChangelogKind::kTime, "S0", "")));
    EXPECT_THAT(seen.records, ElementsAre(std::pair(2U, "row"), std::pair(2U, "")));
  }
}

TEST_F(SavepointTest, LargeStateIsInSeveralBlocks) {
  std::string bytes;
  SavepointWriter writer([&bytes](std::string_view more) {
    bytes += more;
    return Status();
  });
  ASSERT_OK(writer.Begin(Header()));
  ASSERT_OK(writer.BeginTask(source_));
  constexpr int kKeys = 3'000;
  for (int i = 0; i < kKeys; ++i)
    ASSERT_OK(writer.AddKey(ChangelogKind::kState, std::to_string(i), std::string(1'000, 'v')));
  ASSERT_OK(writer.End());
  Seen seen;
  ASSERT_OK_AND_ASSIGN(const SavepointCounts counts, Read(bytes, 10'000, seen));
  EXPECT_EQ(counts.keys, kKeys);
  EXPECT_THAT(seen.keys, SizeIs(kKeys));
}

TEST_F(SavepointTest, OneThatIsCutShortIsNoSavepoint) {
  for (size_t length = 0; length < bytes_.size(); ++length) {
    Seen seen;
    const auto counts = Read(bytes_.substr(0, length), 16, seen);
    ASSERT_FALSE(counts.ok()) << length;
    EXPECT_EQ(counts.status().code(), Code::kDataLoss) << length;
  }
}

TEST_F(SavepointTest, EveryWrongByteIsSeen) {
  for (size_t i = 0; i < bytes_.size(); ++i) {
    std::string damaged = bytes_;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    Seen seen;
    const auto counts = Read(damaged, 16, seen);
    ASSERT_FALSE(counts.ok()) << i;
    EXPECT_EQ(counts.status().code(), Code::kDataLoss) << i;
  }
  Seen seen;
  EXPECT_EQ(Read(bytes_ + "x", 16, seen).status().code(), Code::kDataLoss);
  EXPECT_EQ(Read(bytes_ + "x", bytes_.size(), seen).status().code(), Code::kDataLoss);
}

TEST_F(SavepointTest, AJobRecordSaysWithWhichItBegan) {
  JobRecord job = Header().job;
  const std::string before = EncodeJobRecord(job);
  job.savepoint = "0f0e";
  const std::string after = EncodeJobRecord(job);
  EXPECT_NE(before, after);
  EXPECT_EQ(ParseJobRecord(after), job);
  EXPECT_EQ(ParseJobRecord(after.substr(0, after.size() - 1)).status().code(), Code::kDataLoss);
  job.savepoint.clear();
  EXPECT_EQ(ParseJobRecord(before), job);
}

}  // namespace
}  // namespace slipstream::runtime
