#include "dfs-datanode/scrubber.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dfs_datanode/replica_fixture.h"

namespace slipstream::datanode {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

class ScrubberTest : public testing::Test {
 protected:
  ScrubberTest() {
    store_ = ReplicaStore::Open(StoreOptions(fs_), clock_).value();
    MakeScrubber();
  }

  void MakeScrubber() {
    scrubber_ = std::make_unique<Scrubber>(Scrubber::Options{.bytes_per_second = 1'000,
                                                             .pass_interval = std::chrono::hours(1),
                                                             .first_read_delay = kFirstReadDelay},
                                           *store_,
                                           store_->disks(),
                                           clock_);
    store_->SetAddedListener([this](block::BlockId id) { scrubber_->Added(id); });
  }

  // Steps, and waits as it is told, until `count` replicas are left or the time is over; how long
  // that took.
  milliseconds StepUntil(size_t count, milliseconds limit) {
    const SteadyTime began = clock_.Now();
    while (true) {
      const milliseconds wait = scrubber_->Step();
      const auto passed = std::chrono::duration_cast<milliseconds>(clock_.Now() - began);
      if (store_->List().replicas.size() <= count || passed > limit) return passed;
      clock_.Advance(wait);
    }
  }

  void Damage(block::BlockId id) {
    const std::string path = "/data/blocks/00/" + block::BlockFileName(id) + ".zst";
    std::string bad = fs_.Content(path);
    bad[bad.size() / 2] ^= 1;
    fs_.SetContent(path, bad);
  }

  static constexpr milliseconds kFirstReadDelay{7'200'000};

  MemoryFileSystem fs_;
  ManualClock clock_;
  std::unique_ptr<ReplicaStore> store_;
  std::unique_ptr<Scrubber> scrubber_;
};

TEST_F(ScrubberTest, ReadsEveryReplicaOnceAPassAtItsRate) {
  const std::vector<TestBlock> blocks = {LargeBlock(1), LargeBlock(2), LargeBlock(3)};
  ASSERT_TRUE(Write(*store_, blocks).ok());
  Damage(3);
  uint64_t waited_ms = 0;
  uint64_t bytes = 0;
  for (const TestBlock& block : blocks)
    bytes += block.stored.size();
  while (store_->List().replicas.size() == 3) {
    const milliseconds wait = scrubber_->Step();
    clock_.Advance(wait);
    waited_ms += static_cast<uint64_t>(wait.count());
    ASSERT_LT(waited_ms, 2 * bytes);
  }
  EXPECT_NEAR(static_cast<double>(waited_ms), static_cast<double>(bytes), 10.0);

  // The pass is over; the next is an hour from the last one's beginning.
  Damage(2);
  EXPECT_EQ(scrubber_->Step(), milliseconds(3'600'000 - waited_ms));
  clock_.Advance(milliseconds(3'600'000 - waited_ms));
  for (int step = 0; step < 4; ++step)
    clock_.Advance(scrubber_->Step());
  EXPECT_EQ(store_->List().replicas.size(), 1u);
}

TEST_F(ScrubberTest, ANewReplicaIsReadSoonThoughAPassHasJustEnded) {
  int wakes = 0;
  scrubber_ = std::make_unique<Scrubber>(
      Scrubber::Options{.bytes_per_second = 1'000, .first_read_delay = std::chrono::minutes(5)},
      *store_,
      store_->disks(),
      clock_);
  scrubber_->SetSuspectListener([&] { ++wakes; });
  // A pass over nothing ends at once.
  EXPECT_EQ(scrubber_->Step(), std::chrono::hours(24));

  ASSERT_TRUE(Write(*store_, {LargeBlock(1), LargeBlock(2)}).ok());
  Damage(1);
  Damage(2);

  // Whoever waits a day is woken, once.
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(scrubber_->Step(), std::chrono::minutes(5));
  const milliseconds first = StepUntil(1, std::chrono::hours(25));
  EXPECT_EQ(first, std::chrono::minutes(5));
  const milliseconds second = StepUntil(0, std::chrono::hours(25));
  EXPECT_LE(second, milliseconds(2 * LargeBlock(1).stored.size()));
}

TEST_F(ScrubberTest, NewReplicasAndThePassTakeTurns) {
  std::vector<TestBlock> blocks;
  for (block::BlockId id = 1; id <= 20; ++id)
    blocks.push_back(LargeBlock(id));
  ASSERT_TRUE(Write(*store_, blocks).ok());
  clock_.Advance(kFirstReadDelay);
  Damage(3);
  Damage(15);
  const auto bytes = static_cast<int64_t>(blocks[0].stored.size());

  // New ones and the pass both go by id: the fifteenth is read after twice as many.
  EXPECT_LE(StepUntil(19, std::chrono::hours(5)), milliseconds(6 * bytes));
  EXPECT_THAT(
      StepUntil(18, std::chrono::hours(5)),
      testing::AllOf(testing::Ge(milliseconds(20 * bytes)), testing::Le(milliseconds(30 * bytes))));
}

TEST_F(ScrubberTest, MoreNewReplicasThanItRemembersAreLeftToAPassThatBeginsSoon) {
  (void)scrubber_->Step();
  for (size_t i = 0; i < Scrubber::kNewMax; ++i)
    scrubber_->Added(1'000'000 + i);
  ASSERT_TRUE(Write(*store_, {LargeBlock(1)}).ok());
  Damage(1);

  EXPECT_EQ(StepUntil(0, std::chrono::hours(3)), milliseconds(0));
}

TEST_F(ScrubberTest, ASuspectIsReadAtOnce) {
  ASSERT_TRUE(Write(*store_, {LargeBlock(1), LargeBlock(2)}).ok());
  (void)scrubber_->Step();
  Damage(2);
  scrubber_->Suspect(2);
  EXPECT_EQ(scrubber_->Step(), milliseconds(0));

  EXPECT_THAT(Ids(*store_), ElementsAre(1));
}

TEST_F(ScrubberTest, AReplicaThatCannotBeReadIsReadAgainUntilItIsKnownToBeBad) {
  ASSERT_TRUE(Write(*store_, {LargeBlock(1), LargeBlock(2)}).ok());
  fs_.SetFault([](MemoryFileSystem::Operation operation, const std::string& path) {
    const bool is_hit = operation == MemoryFileSystem::Operation::kRead &&
                        path.ends_with(block::BlockFileName(2) + ".zst");
    return is_hit ? Unavailable("input/output error") : Status();
  });
  scrubber_->Suspect(2);
  scrubber_->Step();
  EXPECT_EQ(store_->List().replicas.size(), 2u);

  SteadyTime began = clock_.Now();
  while (store_->List().replicas.size() == 2) {
    clock_.Advance(scrubber_->Step());
    ASSERT_LE(clock_.Now() - began, std::chrono::minutes(1));
  }
  EXPECT_THAT(Ids(*store_), ElementsAre(1));
  EXPECT_GE(clock_.Now() - began, ReplicaStore::Options().unreadable_max);
}

TEST_F(ScrubberTest, GoesOnWhereItWasAfterARestart) {
  ASSERT_TRUE(Write(*store_, {LargeBlock(1), LargeBlock(2)}).ok());
  (void)scrubber_->Step();
  scrubber_->SaveCursor();
  Damage(1);
  Damage(2);
  MakeScrubber();
  (void)scrubber_->Step();

  EXPECT_THAT(Ids(*store_), ElementsAre(1));
}

TEST(DataDirTest, HasOneOwnerAndKeepsItsName) {
  MemoryFileSystem fs;
  std::unique_ptr<DataDir> dir = DataDir::Open("/node", fs).value();
  EXPECT_EQ(dir->node_id(), "");
  const std::string node_id = "0123456789abcdef";
  ASSERT_TRUE(dir->Adopt(node_id).ok());
  EXPECT_EQ(DataDir::Open("/node", fs).status().code(), Code::kFailedPrecondition);
  ASSERT_TRUE(dir->SaveNumber("number", 42).ok());
  dir.reset();
  fs.Crash(1);
  ASSERT_TRUE(fs.Open("/node/number.tmp", OpenMode::kCreate).ok());

  dir = DataDir::Open("/node", fs).value();
  EXPECT_EQ(dir->node_id(), node_id);
  EXPECT_EQ(dir->LoadNumber("number"), 42u);
  EXPECT_EQ(dir->LoadNumber("other"), 0u);
  EXPECT_EQ(fs.Paths(), (std::vector<std::string>{"/node/node_id", "/node/number"}));
  EXPECT_TRUE(dir->CheckNodeId().ok());
  fs.SetContent("/node/node_id", "fedcba9876543210\n");
  EXPECT_EQ(dir->CheckNodeId().code(), Code::kFailedPrecondition);
  dir.reset();
  fs.SetContent("/node/node_id", "xyz\n");
  EXPECT_EQ(DataDir::Open("/node", fs).status().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace slipstream::datanode
