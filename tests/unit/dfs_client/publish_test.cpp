#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"
#include "dfs-client/dfs_client.h"
#include "dfs-client/file_publisher.h"
#include "tests/support/assert_ok.h"
#include "tests/unit/dfs_client/fake_cluster.h"

namespace slipstream::dfs {
namespace {

using ::testing::SizeIs;

using Attempt = FakeMaster::Attempt;

// In whose name files are published, and when such a name is used again.
class PublishTest : public ::testing::Test {
 protected:
  Status Put(const std::string& path, bool replace = false) {
    auto writer = client_->CreateFile(path, {.replace = replace});
    RETURN_IF_ERROR(writer->Write("content of " + path));
    return writer->Close();
  }
  std::vector<Attempt> attempts() { return cluster_.master().attempts(); }

  FakeCluster cluster_;
  ManualClock clock_;
  std::unique_ptr<DfsClient> client_ = cluster_.Connect({.clock = &clock_});
};

TEST_F(PublishTest, AWriterPublishesOneFileAfterAnother) {
  ASSERT_OK(Put("/a"));
  ASSERT_OK(Put("/b"));
  const std::vector<NewFile> files{{.path = "/c", .content = "c"}, {.path = "/d", .content = "d"}};
  ASSERT_OK(client_->PutFiles(files));

  ASSERT_THAT(attempts(), SizeIs(3));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(attempts()[i].owner, attempts()[0].owner);
    EXPECT_EQ(attempts()[i].incarnation, attempts()[0].incarnation);
    EXPECT_EQ(attempts()[i].epoch, i + 1);
  }
}

// What a failed attempt leaves on datanodes is collected when nothing is heard of the name it was
// allocated for.
TEST_F(PublishTest, BlocksAreNotAllocatedInANameThatIsUsedAgain) {
  ASSERT_OK(Put("/a"));
  ASSERT_OK(Put("/b"));

  const auto allocations = cluster_.master().allocations();
  ASSERT_THAT(allocations, SizeIs(2));
  EXPECT_NE(allocations[0].writer(), allocations[1].writer());
  EXPECT_NE(allocations[0].writer(), attempts()[0].owner);
}

TEST_F(PublishTest, ARefusalUsesItsEpochUp) {
  ASSERT_OK(Put("/a"));
  EXPECT_EQ(Put("/a").code(), Code::kAlreadyExists);
  ASSERT_OK(Put("/a", /*replace=*/true));

  ASSERT_THAT(attempts(), SizeIs(3));
  EXPECT_EQ(attempts()[2].owner, attempts()[0].owner);
  EXPECT_EQ(attempts()[1].epoch, 2U);
  EXPECT_EQ(attempts()[2].epoch, 3U);
}

TEST_F(PublishTest, AWriterOfAnUnknownOutcomeIsNotUsedAgain) {
  ASSERT_OK(Put("/a"));
  cluster_.master().OnPrepared([] { return Cancelled("nobody knows"); });
  EXPECT_EQ(Put("/b").code(), Code::kCancelled);
  cluster_.master().OnPrepared(nullptr);
  ASSERT_OK(Put("/c"));

  ASSERT_THAT(attempts(), SizeIs(3));
  EXPECT_EQ(attempts()[1].owner, attempts()[0].owner);
  EXPECT_NE(attempts()[2].owner, attempts()[0].owner);
}

TEST_F(PublishTest, AWriterIsUsedAgainWithinHalfItsLease) {
  ASSERT_OK(Put("/a"));
  clock_.Advance(FilePublisher::kLease / 2);
  ASSERT_OK(Put("/b"));
  clock_.Advance(FilePublisher::kLease / 2 + std::chrono::milliseconds(1));
  ASSERT_OK(Put("/c"));

  ASSERT_THAT(attempts(), SizeIs(3));
  EXPECT_EQ(attempts()[1].owner, attempts()[0].owner);
  EXPECT_NE(attempts()[2].owner, attempts()[0].owner);
}

TEST_F(PublishTest, AWriterGivenUpWhileItWasIdleBeginsAnew) {
  ASSERT_OK(Put("/a"));
  int calls = 0;
  cluster_.master().OnPrepare([&] { return ++calls == 1 ? Aborted("fenced") : Status(); });

  ASSERT_OK(Put("/b"));

  EXPECT_TRUE(cluster_.master().Find("/b").has_value());
  ASSERT_THAT(attempts(), SizeIs(3));
  EXPECT_EQ(attempts()[2].owner, attempts()[0].owner);
  EXPECT_GT(attempts()[2].incarnation, attempts()[1].incarnation);
  EXPECT_GT(attempts()[2].epoch, attempts()[1].epoch);
}

TEST_F(PublishTest, AWriterGivenUpWithItsAnswerOnTheWayPublishesOnce) {
  ASSERT_OK(Put("/a"));
  int calls = 0;
  cluster_.master().OnPrepare([&] { return ++calls == 2 ? Aborted("fenced") : Status(); });
  cluster_.master().OnPrepared([] { return Unavailable("the answer was lost"); });

  ASSERT_OK(Put("/b"));

  EXPECT_TRUE(cluster_.master().Find("/b").has_value());
  EXPECT_THAT(attempts(), SizeIs(3));
}

TEST_F(PublishTest, AnEndedWriterIsToldWhereItWasMadeForTheFile) {
  cluster_.master().OnPrepare([] { return Aborted("ended by an operator"); });

  EXPECT_EQ(Put("/a").code(), Code::kAborted);
  EXPECT_THAT(attempts(), SizeIs(1));
}

TEST_F(PublishTest, FilesAtOnceHaveWritersOfTheirOwn) {
  constexpr size_t kFiles = FilePublisher::kIdleWritersMax + 8;
  std::atomic<size_t> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < kFiles; ++i)
      threads.emplace_back([&, i] { failures += Put("/f" + std::to_string(i)).ok() ? 0 : 1; });
  }

  EXPECT_EQ(failures, 0U);
  std::set<std::pair<std::string, uint64_t>> names;
  for (const Attempt& attempt : attempts())
    names.emplace(attempt.owner, attempt.epoch);
  EXPECT_THAT(names, SizeIs(kFiles));
}

}  // namespace
}  // namespace slipstream::dfs
