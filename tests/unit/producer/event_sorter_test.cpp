#include "producer/sort/event_sorter.h"

#include <algorithm>
#include <filesystem>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"

namespace slipstream::producer {
namespace {

using Record = std::pair<int64_t, std::string>;

// Many equal keys, so that the order of ties is put to the test; records from empty to large.
std::vector<Record> MakeRecords(size_t count, size_t bytes_max) {
  std::mt19937 random(7);
  std::vector<Record> records;
  for (size_t i = 0; i < count; ++i) {
    std::string record = std::to_string(i) + ":";
    record.append(random() % bytes_max, static_cast<char>('a' + i % 26));
    if (i % 97 == 0) record.clear();
    records.emplace_back(static_cast<int64_t>(random() % 200) - 100, std::move(record));
  }
  return records;
}

void AddAll(EventSorter& sorter, const std::vector<Record>& records) {
  for (const auto& [key, record] : records)
    ASSERT_OK(sorter.Add(key, record));
  ASSERT_OK(sorter.Finish());
}

std::vector<Record> Drain(EventSorter& sorter) {
  std::vector<Record> sorted;
  int64_t key = 0;
  std::string_view record;
  while (true) {
    Result<bool> more = sorter.Next(key, record);
    EXPECT_OK(more);
    if (!more.ok() || !*more) return sorted;
    sorted.emplace_back(key, record);
  }
}

std::vector<Record> Sorted(std::vector<Record> records) {
  std::stable_sort(records.begin(), records.end(), [](const Record& a, const Record& b) {
    return a.first < b.first;
  });
  return records;
}

class EventSorterTest : public ::testing::Test {
 protected:
  EventSorter::Options Options(size_t memory_bytes) const {
    return {.memory_bytes = memory_bytes, .directory = dir_.path()};
  }
  test_support::TempDir dir_;
};

TEST_F(EventSorterTest, KeepsTiesInTheOrderOfArrival) {
  std::vector<Record> records = MakeRecords(5'000, 50);
  EventSorter sorter(Options(100 << 20));

  AddAll(sorter, records);

  EXPECT_EQ(sorter.spilled_run_count(), 0U);
  EXPECT_EQ(Drain(sorter), Sorted(records));
}

TEST_F(EventSorterTest, SpilledIsTheSameAsInMemory) {
  std::vector<Record> records = MakeRecords(40'000, 300);
  EventSorter sorter(Options(EventSorter::kMemoryBytesMin));

  AddAll(sorter, records);

  EXPECT_GT(sorter.spilled_run_count(), 3U);
  EXPECT_LT(sorter.spilled_run_count(), EventSorter::kRunsMax);
  EXPECT_EQ(Drain(sorter), Sorted(records));
}

TEST_F(EventSorterTest, MoreRunsThanMayBeOpenAreMergedOnTheWay) {
  std::vector<Record> records = MakeRecords(10'000, 16'000);
  EventSorter sorter(Options(EventSorter::kMemoryBytesMin));

  AddAll(sorter, records);

  EXPECT_GT(sorter.spilled_run_count(), EventSorter::kRunsMax);
  EXPECT_EQ(Drain(sorter), Sorted(records));
}

TEST_F(EventSorterTest, CanBeReadAgain) {
  for (size_t count : {200U, 40'000U}) {
    std::vector<Record> records = MakeRecords(count, 300);
    EventSorter sorter(Options(EventSorter::kMemoryBytesMin));
    AddAll(sorter, records);
    std::vector<Record> first = Drain(sorter);

    ASSERT_OK(sorter.Rewind());

    EXPECT_EQ(Drain(sorter), first);
  }
}

TEST_F(EventSorterTest, LeavesNoFileBehind) {
  EventSorter sorter(Options(EventSorter::kMemoryBytesMin));

  AddAll(sorter, MakeRecords(40'000, 300));

  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

TEST_F(EventSorterTest, NothingInIsNothingOut) {
  EventSorter sorter(Options(EventSorter::kMemoryBytesMin));

  AddAll(sorter, {});

  EXPECT_TRUE(Drain(sorter).empty());
}

TEST_F(EventSorterTest, AFolderThatIsNotThereIsAnErrorOnlyWhenItIsNeeded) {
  EventSorter sorter({.memory_bytes = EventSorter::kMemoryBytesMin, .directory = dir_ / "missing"});
  Status status;

  for (int i = 0; i < 10'000 && status.ok(); ++i)
    status = sorter.Add(i, std::string(300, 'x'));

  EXPECT_EQ(status.code(), Code::kNotFound);
}

}  // namespace
}  // namespace slipstream::producer
