#include "dfs-master/merge_finder.h"

#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "dfs-master/memory_store.h"

namespace slipstream::dfs::master {
namespace {

FileBlock BlockOf(uint32_t raw_bytes) {
  return {.block = {.id = 1, .raw_bytes = raw_bytes, .stored_bytes = raw_bytes},
          .replication = 2,
          .first_holders = {}};
}

std::vector<FileBlock> BlocksOf(const std::vector<uint32_t>& sizes) {
  std::vector<FileBlock> blocks;
  for (uint32_t size : sizes)
    blocks.push_back(BlockOf(size));
  return blocks;
}

using Part = std::pair<size_t, size_t>;

TEST(ChooseMergeTest, EightOfASizeAreMergedSevenAreNot) {
  EXPECT_EQ(ChooseMerge(BlocksOf(std::vector<uint32_t>(7, 100))), Part(0, 0));
  EXPECT_EQ(ChooseMerge(BlocksOf(std::vector<uint32_t>(8, 100))), Part(0, 8));
}

TEST(ChooseMergeTest, ABlockThatTheOthersWouldHardlyMakeLargerIsLeftAlone) {
  EXPECT_EQ(ChooseMerge(BlocksOf({800, 100, 100, 100, 100, 100, 100, 100, 100})), Part(1, 9));
  EXPECT_EQ(ChooseMerge(BlocksOf({100, 100, 100, 100, 100, 100, 100, 100, 800})), Part(0, 8));
  EXPECT_EQ(ChooseMerge(BlocksOf({100, 100, 100, 100, 800, 100, 100, 100, 100})).second, 0U);
  EXPECT_EQ(ChooseMerge(BlocksOf({800, 800, 800, 100, 100, 100, 100, 100, 100, 100, 100})),
            Part(0, 11));
}

class MergeFinderTest : public testing::Test {
 protected:
  static constexpr InodeId kFile = 7;

  MergeFinderTest() { finder_.emplace(options_, store_); }

  // Puts blocks behind one another into a file; returns its length then.
  uint64_t Append(InodeId file, const std::vector<FileBlock>& blocks, uint64_t offset_bytes = 0) {
    WriteBatch batch;
    for (const FileBlock& block : blocks) {
      batch.Put(Table::kFileBlocks, FileBlockKey(file, offset_bytes), Encode(block));
      offset_bytes += block.length_bytes();
    }
    EXPECT_TRUE(store_.Apply(batch).ok());
    return offset_bytes;
  }
  std::optional<MergeRun> Next(const std::vector<InodeId>& busy = {}) {
    Result<std::optional<MergeRun>> run = finder_->Next(busy, now_);
    EXPECT_TRUE(run.ok()) << run.status().ToString();
    return run.ok() ? *run : std::nullopt;
  }
  std::optional<MergeRun> Step(const std::vector<InodeId>& busy = {}) {
    finder_->BeginStep(now_);
    return Next(busy);
  }
  // A pass over all files that finds nothing, so that only those noted are found from then on.
  void EndPass() {
    while (Step().has_value()) {
    }
  }

  MemoryStore store_;
  MergeFinder::Options options_;
  std::optional<MergeFinder> finder_;
  Now now_;
};

TEST_F(MergeFinderTest, AFileThatGrewIsFoundFromWhereItGrew) {
  EndPass();
  Append(kFile, BlocksOf(std::vector<uint32_t>(10, 1'000)));
  finder_->Grew(kFile, 2'000, 7);
  EXPECT_FALSE(Step().has_value());
  finder_->Grew(kFile, 9'000, 1);

  const std::optional<MergeRun> run = Step();

  ASSERT_TRUE(run.has_value());
  EXPECT_EQ(run->file, kFile);
  EXPECT_EQ(run->offset_bytes, 2'000U);
  EXPECT_EQ(run->blocks.size(), 8U);
  EXPECT_EQ(run->raw_bytes(), 8'000U);
  EXPECT_FALSE(Step().has_value());
}

TEST_F(MergeFinderTest, ThePassFindsWhatNobodyNoted) {
  Append(kFile, BlocksOf(std::vector<uint32_t>(9, 1'000)));
  Append(kFile + 1, BlocksOf({1'000, 1'000}));
  Append(kFile + 2, BlocksOf(std::vector<uint32_t>(8, 500)));

  const std::optional<MergeRun> first = Step();
  const std::optional<MergeRun> second = Next();

  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->file, kFile);
  EXPECT_EQ(first->blocks.size(), 9U);
  EXPECT_EQ(second->file, kFile + 2);
  EXPECT_FALSE(Step().has_value());
  now_.steady += options_.pass_interval;
  EXPECT_TRUE(Step().has_value());
}

TEST_F(MergeFinderTest, APassTakesAsManyStepsAsItNeeds) {
  options_.blocks_per_step = 10;
  finder_.emplace(options_, store_);
  for (InodeId file = 1; file <= 40; ++file)
    Append(file, BlocksOf({1'000, 1'000}));
  Append(41, BlocksOf(std::vector<uint32_t>(8, 500)));
  int steps = 1;

  std::optional<MergeRun> run = Step();
  for (; !run.has_value() && steps < 100; ++steps)
    run = Step();

  ASSERT_TRUE(run.has_value());
  EXPECT_EQ(run->file, 41U);
  EXPECT_GE(steps, 8);
  EXPECT_LE(steps, 12);
}

TEST_F(MergeFinderTest, LargeAndCutBlocksEndARun) {
  std::vector<FileBlock> blocks = BlocksOf(std::vector<uint32_t>(22, 1'000));
  blocks[7].cut_bytes = 1;
  blocks[15] = BlockOf(kBlockRawBytesMax / 8);
  Append(kFile, blocks);

  EXPECT_FALSE(Step().has_value());
}

TEST_F(MergeFinderTest, ARunIsNoMoreThanABlockHolds) {
  Append(kFile, BlocksOf(std::vector<uint32_t>(20, kBlockRawBytesMax / 8 - 1)));

  const std::optional<MergeRun> first = Step();
  const std::optional<MergeRun> second = Next();

  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->blocks.size(), 8U);
  EXPECT_EQ(second->offset_bytes, first->raw_bytes());
  EXPECT_FALSE(Next().has_value());
}

TEST_F(MergeFinderTest, BusyAndRestingFilesAreLeftAlone) {
  Append(kFile, BlocksOf(std::vector<uint32_t>(8, 1'000)));
  finder_->LookAgain(kFile, 0);
  EXPECT_FALSE(Step({kFile}).has_value());

  finder_->Rest(kFile, now_);
  finder_->LookAgain(kFile, 0);
  EXPECT_FALSE(Step().has_value());
  now_.steady += options_.rest;
  finder_->LookAgain(kFile, 0);
  EXPECT_TRUE(Step().has_value());
}

// A file that grows by blocks of like sizes and is merged whenever there is something: it has few
// blocks at any time, and no byte is rewritten more often than a logarithm.
TEST_F(MergeFinderTest, AGrowingFileHasFewBlocksAndIsRewrittenALogarithmOfTimes) {
  EndPass();
  std::mt19937 random(7);
  struct Sized {
    uint64_t offset_bytes = 0;
    uint32_t bytes = 0;
  };
  std::vector<Sized> blocks;
  uint64_t length = 0;
  uint64_t rewritten = 0;
  for (int commit = 0; commit < 20'000; ++commit) {
    const auto size = static_cast<uint32_t>(20'000 + random() % 20'000);
    finder_->Grew(kFile, length, 1);
    blocks.push_back({.offset_bytes = length, .bytes = size});
    length = Append(kFile, BlocksOf({size}), length);
    finder_->BeginStep(now_);
    while (const std::optional<MergeRun> run = Next()) {
      const auto begin = std::find_if(blocks.begin(), blocks.end(), [&](const Sized& block) {
        return block.offset_bytes == run->offset_bytes;
      });
      ASSERT_NE(begin, blocks.end());
      const auto end = begin + static_cast<ptrdiff_t>(run->blocks.size());
      WriteBatch batch;
      for (auto it = begin + 1; it != end; ++it)
        batch.Delete(Table::kFileBlocks, FileBlockKey(kFile, it->offset_bytes));
      batch.Put(Table::kFileBlocks,
                FileBlockKey(kFile, run->offset_bytes),
                Encode(BlockOf(run->raw_bytes())));
      ASSERT_TRUE(store_.Apply(batch).ok());
      rewritten += run->raw_bytes();
      begin->bytes = run->raw_bytes();
      blocks.erase(begin + 1, end);
      finder_->LookAgain(kFile, run->offset_bytes);
    }
    ASSERT_LE(blocks.size(), length / (kBlockRawBytesMax / 8) + 60);
  }

  // Full ones, of at least 8 MiB, and a tail of a few of each size; log4(64 MiB / 20 KB) = 5.9.
  EXPECT_LE(rewritten, 6 * length);
  EXPECT_GE(rewritten, length);
}

}  // namespace
}  // namespace slipstream::dfs::master
