// A job that is started anew leaves nothing of its past behind at the master, and is not kept from
// starting by a master that has forgotten.

#include "processor/runtime/discard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/memory_append_store.h"

namespace slipstream::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr const char* kOwner = "job/0/0";

class DiscardTest : public ::testing::Test {
 protected:
  // One block for a new file, up to the promise; the pair.
  MarkPair Prepare(uint64_t epoch, const std::string& path, const std::string& row) {
    const uint64_t incarnation = store_.AcquireAppender(kOwner)->incarnation;
    block::BlockEncoder encoder(compressor_);
    EXPECT_TRUE(encoder.Append(row).ok());
    const block::EncodedBlock encoded = encoder.Finish();
    const block::EncodedBlock* const blocks[] = {&encoded};
    auto durable = store_.WriteBlocks(kOwner, blocks);
    dfs::FileAppend append{.target = path};
    append.blocks = std::move(*durable);
    const dfs::AppenderEpoch appended{
        .owner = kOwner, .incarnation = incarnation, .epoch = epoch, .files = {append}};
    auto prepared = store_.Prepare(std::vector{appended}, false);
    EXPECT_TRUE(prepared.ok()) << prepared.status().ToString();
    return {.epoch = epoch, .incarnation = incarnation};
  }

  dfs::MemoryAppendStore store_;
  block::FrameCompressor compressor_{1};
};

TEST_F(DiscardTest, CandidatesOfAFirstEpochGo) {
  Prepare(2, "/out/a", "a");

  // The mark of the epoch before, in which no file was written.
  ASSERT_TRUE(GiveUpFiles(store_, kOwner, {.pair = {1, 1}}).ok());

  EXPECT_EQ(store_.prepared_count(), 0U);
  EXPECT_THAT(store_.Files(), IsEmpty());
}

TEST_F(DiscardTest, WhatKafkaHasRecordedShowsAndTheRestGoes) {
  const MarkPair recorded = Prepare(1, "/out/a", "a");
  Prepare(2, "/out/b", "b");

  ASSERT_TRUE(GiveUpFiles(store_, kOwner, {.pair = recorded, .file_pair = recorded}).ok());

  EXPECT_EQ(store_.prepared_count(), 0U);
  EXPECT_THAT(store_.Files(), ElementsAre(Pair("/out/a", "a")));
  EXPECT_FALSE(store_.IsOpen("/out/a"));
}

TEST_F(DiscardTest, AMasterThatHasForgottenIsNoHindrance) {
  const MarkPair recorded{.epoch = 7, .incarnation = 3};

  EXPECT_TRUE(GiveUpFiles(store_, kOwner, {.pair = recorded, .file_pair = recorded}).ok());
}

TEST_F(DiscardTest, AMasterThatIsAwayIsWaitedFor) {
  store_.FailNext(1);

  EXPECT_EQ(GiveUpFiles(store_, kOwner, {.pair = {1, 1}}).code(), Code::kUnavailable);
}

}  // namespace
}  // namespace slipstream::runtime
