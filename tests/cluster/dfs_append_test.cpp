// Two-phase appends as the commit protocol needs them, against a real master that dies.

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/dfs_fixture.h"

namespace slipstream::dfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DfsAppendTest : public DfsTest {
 protected:
  void SetUp() override { StartCluster({.datanodes = 2}); }

  uint64_t Acquire() {
    auto state = client().AcquireAppender(owner_);
    EXPECT_OK(state);
    return state->incarnation;
  }

  std::vector<DurableBlock> Write(const std::string& raw) {
    const block::EncodedBlock encoded = Encode(raw);
    const block::EncodedBlock* blocks[] = {&encoded};
    auto durable = client().WriteBlocks(owner_, blocks);
    EXPECT_OK(durable);
    return *durable;
  }

  // An epoch that makes `path` with `raw` in it.
  AppenderEpoch NewFile(uint64_t incarnation,
                        uint64_t epoch,
                        const std::string& path,
                        const std::string& raw) {
    AppenderEpoch out{.owner = owner_, .incarnation = incarnation, .epoch = epoch};
    out.files.push_back({.target = path, .blocks = Write(raw)});
    return out;
  }

  Result<PreparedEpoch> Prepare(const AppenderEpoch& epoch) {
    ASSIGN_OR_RETURN(auto prepared, client().Prepare({&epoch, 1}, false));
    return prepared.at(0);
  }

  Result<std::vector<uint64_t>> Commit(uint64_t epoch, uint64_t incarnation) {
    const AppenderCommit commit{.owner = owner_,
                                .pair = {.epoch = epoch, .incarnation = incarnation}};
    return client().Commit({&commit, 1});
  }

  void RestartMaster() {
    cluster().KillMaster();
    ASSERT_OK(cluster().StartMaster());
  }

  const std::string owner_ = "job/stage/0";
};

TEST_F(DfsAppendTest, PreparedIsInvisibleAndCommittedIsNot) {
  const uint64_t incarnation = Acquire();
  ASSERT_OK(Prepare(NewFile(incarnation, 1, "/out/part", "one\n")));
  EXPECT_EQ(client().Stat("/out/part").status().code(), Code::kNotFound);

  ASSERT_OK(Commit(1, incarnation));

  EXPECT_EQ(Load("/out/part"), "one\n");
}

TEST_F(DfsAppendTest, AFileGrowsOverEpochsAndPrepareCarriesTheLastCommit) {
  const uint64_t incarnation = Acquire();
  ASSERT_OK_AND_ASSIGN(PreparedEpoch first, Prepare(NewFile(incarnation, 1, "/out/part", "0\n")));
  std::string content = "0\n";
  for (uint64_t epoch = 2; epoch <= 20; ++epoch) {
    const std::string raw = std::to_string(epoch) + "\n";
    AppenderEpoch next{.owner = owner_,
                       .incarnation = incarnation,
                       .epoch = epoch,
                       .committed = {.epoch = epoch - 1, .incarnation = incarnation}};
    next.files.push_back({.target = first.inode_ids.at(0),
                          .expected_length_bytes = content.size(),
                          .blocks = Write(raw)});
    ASSERT_OK(Prepare(next));
    ASSERT_EQ(Load("/out/part"), content);
    content += raw;
  }

  ASSERT_OK(Commit(20, incarnation));

  EXPECT_EQ(Load("/out/part"), content);
}

TEST_F(DfsAppendTest, APromiseOutlivesTheMaster) {
  const uint64_t incarnation = Acquire();
  ASSERT_OK(Prepare(NewFile(incarnation, 1, "/out/part", "kept\n")));

  RestartMaster();
  ASSERT_OK(Commit(1, incarnation));
  EXPECT_EQ(Load("/out/part"), "kept\n");
  RestartMaster();

  EXPECT_OK(Commit(1, incarnation));
  EXPECT_EQ(Load("/out/part"), "kept\n");
}

TEST_F(DfsAppendTest, ACommitRidesOutARestart) {
  const uint64_t incarnation = Acquire();
  ASSERT_OK(Prepare(NewFile(incarnation, 1, "/out/part", "kept\n")));
  cluster().KillMaster();

  auto committed = std::async(std::launch::async, [&] { return Commit(1, incarnation); });
  ASSERT_OK(cluster().StartMaster());

  EXPECT_OK(committed.get());
  EXPECT_EQ(Load("/out/part"), "kept\n");
}

TEST_F(DfsAppendTest, PrepareSentAgainIsAnsweredAsBefore) {
  const uint64_t incarnation = Acquire();
  const AppenderEpoch epoch = NewFile(incarnation, 1, "/out/part", "once\n");
  ASSERT_OK_AND_ASSIGN(PreparedEpoch first, Prepare(epoch));
  RestartMaster();

  ASSERT_OK_AND_ASSIGN(PreparedEpoch again, Prepare(epoch));

  EXPECT_EQ(again.inode_ids, first.inode_ids);
  ASSERT_OK(Commit(1, incarnation));
  EXPECT_EQ(Load("/out/part"), "once\n");
}

TEST_F(DfsAppendTest, AZombieCanNeitherPrepareNorLoseAnything) {
  const uint64_t zombie = Acquire();
  ASSERT_OK(Prepare(NewFile(zombie, 1, "/out/zombie", "prepared in time\n")));
  const AppenderEpoch late = NewFile(zombie, 2, "/out/late", "too late\n");

  ASSERT_OK_AND_ASSIGN(AppenderState heir, client().AcquireAppender(owner_));

  EXPECT_THAT(heir.prepared, ElementsAre(EpochPair{.epoch = 1, .incarnation = zombie}));
  EXPECT_EQ(Prepare(late).status().code(), Code::kAborted);
  // Kafka recorded the zombie's epoch: it is the heir's to finish.
  ASSERT_OK(Commit(1, zombie));
  EXPECT_EQ(Load("/out/zombie"), "prepared in time\n");
}

TEST_F(DfsAppendTest, OfSeveralCandidatesTheCommittedOneStays) {
  const uint64_t first = Acquire();
  ASSERT_OK(Prepare(NewFile(first, 1, "/out/first", "first\n")));
  const uint64_t second = Acquire();
  ASSERT_OK(Prepare(NewFile(second, 1, "/out/second", "second\n")));

  ASSERT_OK(Commit(1, first));

  EXPECT_EQ(Load("/out/first"), "first\n");
  EXPECT_EQ(client().Stat("/out/second").status().code(), Code::kNotFound);
  EXPECT_EQ(Commit(1, second).status().code(), Code::kFailedPrecondition);
  ASSERT_OK_AND_ASSIGN(auto appenders, client().ListAppenders(owner_));
  ASSERT_THAT(appenders, SizeIs(1));
  EXPECT_THAT(appenders[0].prepared, IsEmpty());
}

TEST_F(DfsAppendTest, AFileRenamedInBetweenIsFollowed) {
  const uint64_t incarnation = Acquire();
  ASSERT_OK_AND_ASSIGN(PreparedEpoch first, Prepare(NewFile(incarnation, 1, "/out/part", "a")));
  ASSERT_OK(Commit(1, incarnation));
  AppenderEpoch next{.owner = owner_, .incarnation = incarnation, .epoch = 2};
  next.committed = {.epoch = 1, .incarnation = incarnation};
  next.files.push_back(
      {.target = first.inode_ids.at(0), .expected_length_bytes = 1, .blocks = Write("b")});
  ASSERT_OK(Prepare(next));

  ASSERT_OK(client().Rename("/out", "/moved", false));
  ASSERT_OK(Commit(2, incarnation));

  EXPECT_EQ(Load("/moved/part"), "ab");
}

TEST_F(DfsAppendTest, TheShareOfADeletedFileIsDroppedAndNamed) {
  const uint64_t incarnation = Acquire();
  ASSERT_OK_AND_ASSIGN(PreparedEpoch first, Prepare(NewFile(incarnation, 1, "/out/part", "a")));
  ASSERT_OK(Commit(1, incarnation));
  AppenderEpoch next{.owner = owner_, .incarnation = incarnation, .epoch = 2};
  next.committed = {.epoch = 1, .incarnation = incarnation};
  next.files.push_back(
      {.target = first.inode_ids.at(0), .expected_length_bytes = 1, .blocks = Write("b")});
  next.files.push_back({.target = "/out/other", .blocks = Write("other")});
  ASSERT_OK(Prepare(next));

  ASSERT_OK(client().Delete("/out/part", false));
  ASSERT_OK_AND_ASSIGN(auto dropped, Commit(2, incarnation));

  EXPECT_THAT(dropped, ElementsAre(first.inode_ids.at(0)));
  EXPECT_EQ(Load("/out/other"), "other");
}

TEST_F(DfsAppendTest, AnotherLengthThanExpectedIsRefused) {
  const uint64_t incarnation = Acquire();
  ASSERT_OK_AND_ASSIGN(PreparedEpoch first, Prepare(NewFile(incarnation, 1, "/out/part", "abc")));
  ASSERT_OK(Commit(1, incarnation));
  AppenderEpoch next{.owner = owner_, .incarnation = incarnation, .epoch = 2};
  next.committed = {.epoch = 1, .incarnation = incarnation};
  next.files.push_back(
      {.target = first.inode_ids.at(0), .expected_length_bytes = 2, .blocks = Write("d")});

  EXPECT_EQ(Prepare(next).status().code(), Code::kAborted);
}

TEST_F(DfsAppendTest, AnAbortedAppenderLeavesNothing) {
  const uint64_t incarnation = Acquire();
  ASSERT_OK(Prepare(NewFile(incarnation, 1, "/out/part", "a")));

  EXPECT_EQ(cluster().MustDfs({"appenders", "--abort", owner_}),
            "Aborted " + owner_ + ": 1 prepared epochs discarded\n");

  EXPECT_EQ(Commit(1, incarnation).status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(client().Stat("/out/part").status().code(), Code::kNotFound);
}

TEST_F(DfsAppendTest, TheSameNewNameIsPromisedOnce) {
  const uint64_t incarnation = Acquire();
  ASSERT_OK(Prepare(NewFile(incarnation, 1, "/out/part", "a")));

  EXPECT_EQ(Store("/out/part", "someone else").code(), Code::kFailedPrecondition);

  ASSERT_OK(Commit(1, incarnation));
  EXPECT_EQ(Load("/out/part"), "a");
}

}  // namespace
}  // namespace slipstream::dfs
