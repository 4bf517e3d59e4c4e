// The runtime's own records: what is written is read back, and nothing else is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crc32c/crc32c.h"
#include "processor/runtime/time_board.h"
#include "processor/state/changelog.h"
#include "processor/state/encoding.h"
#include "processor/state/job_record.h"
#include "processor/state/mark.h"

namespace slipstream::runtime {
namespace {

Mark FullMark() {
  return {.pair = {.epoch = 12, .incarnation = 3},
          .file_pair = {.epoch = 11, .incarnation = 3},
          .position = 4'567,
          .end = 10'000,
          .is_done = true,
          .is_idle = true,
          .watermark = -5,
          .sender_count = 3,
          .next_file_number = 7,
          .fingerprint = "abc",
          .host = "here",
          .open_files = {{.sink = 1,
                          .partition_path = "carrier=AA/",
                          .path = "/flights/carrier=AA/part-0-2-6-1b4e28ba.jsonl",
                          .inode_id = 99,
                          .length_bytes = 1 << 20,
                          .opened_at_ms = 1'700'000'000'000}}};
}

Mark MarkWithPartitions() {
  Mark mark = FullMark();
  mark.open_partitions = {{.sink = 1, .partition_path = "carrier=AA/", .since_ms = 1'700'000},
                          {.sink = 2, .partition_path = "", .since_ms = -1}};
  return mark;
}

TEST(MarkTest, ComesBackAsItWas) {
  for (const Mark& mark : {FullMark(), Mark{}, MarkWithPartitions()}) {
    const Result<Mark> parsed = ParseMark(EncodeMark(mark));
    ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
    EXPECT_EQ(*parsed, mark);
  }
}

// With the right checksum: written by a program that knows more than this one.
TEST(MarkTest, FlagsThatAreNotKnownAreRefused) {
  constexpr size_t kFlagsAt = 1 + 4 * 8 + 2 * 8;
  std::string bytes = EncodeMark(Mark{});
  bytes.resize(bytes.size() - sizeof(uint32_t));
  ASSERT_EQ(bytes[kFlagsAt], 0);
  bytes[kFlagsAt] = 4;
  RecordWriter trailer;
  trailer.Number(Crc32c(bytes));

  EXPECT_EQ(ParseMark(bytes + trailer.bytes()).status().code(), Code::kDataLoss);
}

TEST(MarkTest, EveryCutAndEveryFlippedByteIsSeen) {
  const std::string bytes = EncodeMark(MarkWithPartitions());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(ParseMark(bytes.substr(0, size)).status().code(), Code::kDataLoss) << size;
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x40);
    EXPECT_EQ(ParseMark(flipped).status().code(), Code::kDataLoss) << at;
  }
  EXPECT_EQ(ParseMark(bytes + "x").status().code(), Code::kDataLoss);
}

TEST(OffsetMetadataTest, ComesBackAsItWas) {
  for (const OffsetMetadata& metadata :
       {OffsetMetadata{.pair = {.epoch = 12, .incarnation = 3}, .is_done = false},
        OffsetMetadata{.pair = {.epoch = UINT64_MAX, .incarnation = 0}, .is_done = true}}) {
    const auto parsed = ParseOffsetMetadata(EncodeOffsetMetadata(metadata));
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(*parsed, metadata);
  }
  EXPECT_EQ(EncodeOffsetMetadata({.pair = {.epoch = 12, .incarnation = 3}, .is_done = true}),
            "12 3 done");
}

TEST(OffsetMetadataTest, ForeignTextIsRefused) {
  for (const char* text : {"",
                           "12",
                           "12 ",
                           "x 3",
                           "12 x",
                           "12 3 gone",
                           "12 3done",
                           "-1 3",
                           "012 3",
                           "99999999999999999999 1",
                           "12  3",
                           " 12 3"}) {
    EXPECT_EQ(ParseOffsetMetadata(text).status().code(), Code::kDataLoss) << text;
  }
}

TEST(ChangelogKeyTest, ComesBackAsItWas) {
  for (const ChangelogKey& key :
       {ChangelogKey{.kind = ChangelogKind::kJob},
        ChangelogKey{.kind = ChangelogKind::kMark, .input = 2},
        ChangelogKey{.kind = ChangelogKind::kState, .input = 255, .state_key = {"a\0b", 3}},
        ChangelogKey{.kind = ChangelogKind::kState}}) {
    const std::string bytes = EncodeChangelogKey(key);
    const auto parsed = ParseChangelogKey(bytes);
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed->kind, key.kind);
    EXPECT_EQ(parsed->input, key.input);
    EXPECT_EQ(parsed->state_key, key.state_key);
  }
}

TEST(ChangelogKeyTest, OtherBytesAreRefused) {
  for (const std::string& bytes : {std::string(),
                                   std::string("\1M", 2),
                                   std::string("\2M\0", 3),
                                   std::string("\1X\0", 3),
                                   std::string("\1M\0tail", 7)}) {
    EXPECT_EQ(ParseChangelogKey(bytes).status().code(), Code::kDataLoss);
  }
}

TEST(JobRecordTest, ComesBackAsItWasAndNothingElseDoes) {
  const JobRecord record{
      .uuid = MintUuid(),
      .inputs = {{.topic = "a", .ends = {1, 2, -1}}, {.topic = "b", .ends = {}}}};
  const std::string bytes = EncodeJobRecord(record);

  const auto parsed = ParseJobRecord(bytes);

  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, record);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(ParseJobRecord(bytes.substr(0, size)).status().code(), Code::kDataLoss) << size;
  }
  EXPECT_EQ(ParseJobRecord(bytes + "x").status().code(), Code::kDataLoss);
}

TEST(JobRecordTest, UuidsAreVersionFourAndDiffer) {
  const std::string uuid = MintUuid();
  EXPECT_EQ(uuid.size(), 36U);
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(uuid, MintUuid());
}

TEST(TimeRecordTest, ComesBackAsItWas) {
  const TimeKey key{.input = 1, .partition = 7};
  const auto parsed_key = ParseTimeKey(EncodeTimeKey(key));
  ASSERT_TRUE(parsed_key.ok());
  EXPECT_TRUE(*parsed_key == key);
  const TaskTime time{.watermark = -1, .is_idle = true};
  const auto parsed_time = ParseTaskTime(EncodeTaskTime(time));
  ASSERT_TRUE(parsed_time.ok());
  EXPECT_EQ(*parsed_time, time);
  EXPECT_FALSE(ParseTimeKey("x").ok());
  EXPECT_FALSE(ParseTaskTime(EncodeTaskTime(time) + "x").ok());
}

TEST(TimeBoardTest, ATaskNeverHeardOfHoldsEverythingBack) {
  TimeBoard board(2);
  board.Set({.partition = 0}, {.watermark = 100});
  EXPECT_EQ(board.ActiveWatermark(), std::nullopt);
}

TEST(TimeBoardTest, IdleTasksDoNotCount) {
  TimeBoard board(3);
  board.Set({.partition = 0}, {.watermark = 100});
  board.Set({.partition = 1}, {.watermark = 50, .is_idle = true});
  board.Set({.partition = 2}, {.watermark = 80});
  EXPECT_EQ(board.ActiveWatermark(), 80);

  board.Set({.partition = 1}, {.watermark = 60});
  EXPECT_EQ(board.ActiveWatermark(), 60);
}

TEST(TimeBoardTest, WithAllIdleTimeStandsStill) {
  TimeBoard board(1);
  board.Set({.partition = 0}, {.watermark = 100, .is_idle = true});
  EXPECT_EQ(board.ActiveWatermark(), std::nullopt);
}

}  // namespace
}  // namespace slipstream::runtime
