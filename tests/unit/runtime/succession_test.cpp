// Who gets a partition when processes die, told beforehand.

#include "processor/runtime/succession.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipstream::runtime {
namespace {

using kafka::Admin;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What Kafka's documentation says of the range assignor, partition by partition.
std::vector<size_t> ShareOut(int32_t partitions, size_t workers) {
  std::vector<size_t> owners;
  for (size_t worker = 0; worker < workers; ++worker) {
    size_t share = static_cast<size_t>(partitions) / workers;
    if (worker < static_cast<size_t>(partitions) % workers) ++share;
    owners.insert(owners.end(), share, worker);
  }
  return owners;
}

std::vector<size_t> RangeOwners(int32_t partitions, size_t workers) {
  std::vector<size_t> owners;
  for (int32_t p = 0; p < partitions; ++p)
    owners.push_back(RangeOwner(p, partitions, workers));
  return owners;
}

TEST(SuccessionTest, OwnersAreThoseOfTheRangeAssignor) {
  for (int32_t partitions = 1; partitions <= 20; ++partitions) {
    for (size_t workers = 1; workers <= 25; ++workers) {
      EXPECT_EQ(RangeOwners(partitions, workers), ShareOut(partitions, workers))
          << partitions << " partitions, " << workers << " workers";
    }
  }
}

// Worker "w<i>" of the i-th process named.
std::vector<Admin::GroupMember> Workers(const std::vector<std::string>& processes) {
  std::vector<Admin::GroupMember> workers;
  for (const std::string& process : processes)
    workers.push_back({.name = "w" + std::to_string(workers.size()), .client_id = process});
  return workers;
}

TEST(SuccessionTest, TheOtherOfTwoProcessesIsTheHeirOfAll) {
  const auto workers = Workers({"a", "b"});

  EXPECT_THAT(SuccessionOf(0, 4, workers, 1), ElementsAre(0, 1));
  EXPECT_THAT(SuccessionOf(1, 4, workers, 1), ElementsAre(0, 1));
  EXPECT_THAT(SuccessionOf(2, 4, workers, 1), ElementsAre(1, 0));
  EXPECT_THAT(SuccessionOf(3, 4, workers, 1), ElementsAre(1, 0));
}

TEST(SuccessionTest, TheFirstHeirIsNotOfTheOwnersProcess) {
  const auto workers = Workers({"a", "b", "a", "b"});

  EXPECT_THAT(SuccessionOf(0, 4, workers, 1), ElementsAre(0, 1));
  EXPECT_THAT(SuccessionOf(2, 4, workers, 1), ElementsAre(2, 3));
  EXPECT_THAT(SuccessionOf(3, 4, workers, 1), ElementsAre(3, 2));
}

// The other process' death makes room at the worker's neighbour.
TEST(SuccessionTest, TheSecondMayBe) {
  const auto workers = Workers({"a", "a", "b", "b"});

  EXPECT_THAT(SuccessionOf(2, 4, workers, 2), ElementsAre(2, 1, 3));
  EXPECT_THAT(SuccessionOf(3, 4, workers, 2), ElementsAre(3, 1));
}

TEST(SuccessionTest, AProcessThatIsAloneHasNoHeirs) {
  const auto workers = Workers({"a", "a", "a"});

  EXPECT_THAT(SuccessionOf(2, 3, workers, 2), ElementsAre(2));
  EXPECT_THAT(SuccessionOf(2, 3, {}, 2), IsEmpty());
}

TEST(SuccessionTest, ThereAreNoMoreHeirsThanWanted) {
  const auto workers = Workers({"a", "b", "c", "d"});

  EXPECT_THAT(SuccessionOf(0, 8, workers, 0), ElementsAre(0));
  EXPECT_EQ(SuccessionOf(0, 8, workers, 2).size(), 3U);
  EXPECT_EQ(SuccessionOf(0, 8, workers, 9).size(), 4U);
}

// Who has the partition when the workers of a process are gone.
size_t OwnerWithout(const std::string& process,
                    int32_t partition,
                    int32_t partitions,
                    const std::vector<Admin::GroupMember>& workers) {
  std::vector<size_t> alive;
  for (size_t place = 0; place < workers.size(); ++place) {
    if (workers[place].client_id != process) alive.push_back(place);
  }
  return alive[ShareOut(partitions, alive.size())[static_cast<size_t>(partition)]];
}

TEST(SuccessionTest, TheFirstHeirGetsWhatADeadProcessHad) {
  const auto workers = Workers({"a", "b", "c", "a", "c", "b", "d"});
  constexpr int32_t kPartitions = 23;
  for (int32_t p = 0; p < kPartitions; ++p) {
    const std::vector<size_t> succession = SuccessionOf(p, kPartitions, workers, 1);
    ASSERT_EQ(succession.size(), 2U);
    const std::string& process = workers[succession[0]].client_id;
    EXPECT_EQ(succession[1], OwnerWithout(process, p, kPartitions, workers)) << "partition " << p;
  }
}

TEST(SuccessionTest, TwoHeirsAreEnoughWhicheverProcessOfOneWorkerDies) {
  for (size_t processes = 2; processes <= 9; ++processes) {
    std::vector<std::string> names;
    for (size_t i = 0; i < processes; ++i)
      names.push_back(std::string(1, static_cast<char>('a' + i)));
    const auto workers = Workers(names);
    for (int32_t partitions = 1; partitions <= 40; ++partitions) {
      for (int32_t p = 0; p < partitions; ++p) {
        const std::vector<size_t> succession = SuccessionOf(p, partitions, workers, 2);
        for (const std::string& dead : names) {
          EXPECT_THAT(succession, Contains(OwnerWithout(dead, p, partitions, workers)))
              << "partition " << p << " of " << partitions << ", " << processes << " processes, "
              << dead << " dead";
        }
      }
    }
  }
}

// Enough of them for whatever number of workers the processes have.
TEST(SuccessionTest, AnHeirIsWhereAnyOneDeathLeads) {
  const auto workers = Workers({"a", "b", "b", "c", "a", "c", "c", "b", "d"});
  constexpr int32_t kPartitions = 31;
  for (int32_t p = 0; p < kPartitions; ++p) {
    const std::vector<size_t> succession = SuccessionOf(p, kPartitions, workers, 4);
    for (const std::string dead : {"a", "b", "c", "d"}) {
      EXPECT_THAT(succession, Contains(OwnerWithout(dead, p, kPartitions, workers)))
          << "partition " << p << ", " << dead << " dead";
    }
  }
}

TEST(SuccessionTest, BehindThoseComeTheHeirsOfTheHeirs) {
  const auto workers = Workers({"a", "b", "c"});

  // One partition: whoever is first has it.
  EXPECT_THAT(SuccessionOf(0, 1, workers, 1), ElementsAre(0, 1));
  EXPECT_THAT(SuccessionOf(0, 1, workers, 2), ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace slipstream::runtime
