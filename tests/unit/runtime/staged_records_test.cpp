#include "processor/runtime/staged_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipstream::runtime {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Describe(const StagedRecords& staged) {
  std::vector<std::string> records;
  const Status status = staged.ForEach([&](size_t output, const kafka::OutgoingRecord& record) {
    std::string text = std::to_string(output) + "/" + std::to_string(record.partition) + " ";
    text += record.key ? std::string(*record.key) : "-";
    text += "=";
    text += record.value ? std::string(*record.value) : "-";
    for (size_t i = 0; i < record.header_count; ++i) {
      text +=
          " " + std::string(record.headers[i].name) + ":" + std::string(record.headers[i].value);
    }
    records.push_back(text);
    return Status();
  });
  EXPECT_TRUE(status.ok());
  return records;
}

TEST(StagedRecordsTest, ComeBackInOrderWithAllTheyHad) {
  StagedRecords staged;
  std::string value = "v";
  staged.Add(0, -1, "k", value);
  value = "overwritten";
  const kafka::Header headers[] = {{"origin", "JFK"}, {"empty", ""}};
  staged.Add(2, 7, std::nullopt, "", headers);
  staged.Add(1, 3, "", std::nullopt);

  EXPECT_THAT(Describe(staged), ElementsAre("0/-1 k=v", "2/7 -= origin:JFK empty:", "1/3 =-"));
}

TEST(StagedRecordsTest, TheFirstErrorStops) {
  StagedRecords staged;
  staged.Add(0, 0, "a", "1");
  staged.Add(0, 0, "b", "2");
  int calls = 0;

  const Status status = staged.ForEach([&](size_t, const kafka::OutgoingRecord&) {
    ++calls;
    return Aborted("no more");
  });

  EXPECT_EQ(status.code(), Code::kAborted);
  EXPECT_EQ(calls, 1);
}

TEST(StagedRecordsTest, ClearForgetsAll) {
  StagedRecords staged;
  staged.Add(0, 0, "a", "1");
  EXPECT_GT(staged.memory_bytes(), 2U);

  staged.Clear();

  EXPECT_TRUE(staged.empty());
  EXPECT_EQ(staged.memory_bytes(), 0U);
}

}  // namespace
}  // namespace slipstream::runtime
