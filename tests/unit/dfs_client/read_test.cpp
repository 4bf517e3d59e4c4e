#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dfs-client/dfs_client.h"
#include "tests/support/assert_ok.h"
#include "tests/unit/dfs_client/fake_cluster.h"
#include "tests/unit/dfs_client/test_bytes.h"

namespace slipstream::dfs {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Each test reads a file of two replicas, on node-0 and node-1, from a cluster with some fault.
// Readers try node-0 first.
class ReadTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(Store("/f", content_)); }

  Status Store(const std::string& path, const std::string& content) {
    auto writer = client_->CreateFile(path);
    RETURN_IF_ERROR(writer->Write(content));
    return writer->Close();
  }

  static Result<std::string> ReadRest(FileReader& reader) {
    std::string all;
    while (true) {
      ASSIGN_OR_RETURN(std::string chunk, reader.Next());
      if (chunk.empty()) return all;
      all += chunk;
    }
  }

  static Result<std::string> ReadAll(DfsClient& client, const std::string& path) {
    ASSIGN_OR_RETURN(std::unique_ptr<FileReader> reader, client.OpenFile(path));
    return ReadRest(*reader);
  }

  Result<std::string> ReadAll(const std::string& path = "/f") { return ReadAll(*client_, path); }

  uint64_t BlockOf(const std::string& path) {
    return cluster_.master().Find(path)->blocks.at(0).block_id();
  }

  FakeCluster cluster_;
  std::unique_ptr<DfsClient> client_ = cluster_.Connect();
  const std::string content_ = RandomBytes((10 << 20) + 17, 7);
};

TEST_F(ReadTest, GivesBackWhatWasWritten) {
  ASSERT_OK_AND_ASSIGN(std::string read, ReadAll());

  EXPECT_TRUE(read == content_);
}

TEST_F(ReadTest, AnEmptyFileEndsAtOnce) {
  ASSERT_OK(Store("/empty", ""));

  ASSERT_OK_AND_ASSIGN(std::string read, ReadAll("/empty"));

  EXPECT_THAT(read, IsEmpty());
}

TEST_F(ReadTest, RangesAreExactEverywhere) {
  ASSERT_OK_AND_ASSIGN(auto reader, client_->OpenFile("/f"));
  constexpr uint64_t kFrame = 1 << 20;
  constexpr uint64_t kSegment = FileReader::kSegmentBytes;
  const uint64_t length = content_.size();

  for (uint64_t offset : {uint64_t{0}, kFrame - 1, kFrame, kSegment - 1, kSegment, length - 1}) {
    for (uint64_t count : {uint64_t{1}, uint64_t{2}, kFrame + 1, kSegment, length}) {
      ASSERT_OK_AND_ASSIGN(std::string read, reader->ReadAt(offset, count));
      EXPECT_TRUE(read == content_.substr(offset, count)) << offset << "+" << count;
    }
  }
  ASSERT_OK_AND_ASSIGN(std::string behind, reader->ReadAt(length, 1));
  EXPECT_THAT(behind, IsEmpty());
}

TEST_F(ReadTest, SeekMovesNext) {
  ASSERT_OK_AND_ASSIGN(auto reader, client_->OpenFile("/f"));
  ASSERT_OK(reader->Next());

  ASSERT_OK(reader->Seek(5'000'001));

  ASSERT_OK_AND_ASSIGN(std::string rest, ReadRest(*reader));
  EXPECT_TRUE(rest == content_.substr(5'000'001));
  EXPECT_EQ(reader->Seek(content_.size() + 1).code(), Code::kOutOfRange);
}

TEST_F(ReadTest, AFlippedByteIsNeverReturnedAndIsReported) {
  for (size_t offset : {size_t{0}, size_t{5} << 20, content_.size() - 1}) {
    cluster_.node(0).FlipByte(BlockOf("/f"), offset);
  }

  ASSERT_OK_AND_ASSIGN(std::string read, ReadAll());

  EXPECT_TRUE(read == content_);
  const auto reports = cluster_.master().bad_replicas();
  ASSERT_THAT(reports, Not(IsEmpty()));
  for (const auto& report : reports) {
    EXPECT_EQ(report.node_id(), "node-0");
    EXPECT_EQ(report.block_id(), BlockOf("/f"));
  }
}

TEST_F(ReadTest, BadReplicasEverywhereAreDataLoss) {
  cluster_.node(0).FlipByte(BlockOf("/f"), 100);
  cluster_.node(1).FlipByte(BlockOf("/f"), 200);

  EXPECT_EQ(ReadAll().status().code(), Code::kDataLoss);
}

TEST_F(ReadTest, FramesOfAnotherBlockAreNotTaken) {
  ASSERT_OK(Store("/a", "these are the bytes of a"));
  ASSERT_OK(Store("/b", "these are the bytes of b"));
  cluster_.node(0).Swap(BlockOf("/a"), BlockOf("/b"));
  cluster_.node(1).Swap(BlockOf("/a"), BlockOf("/b"));

  EXPECT_EQ(ReadAll("/a").status().code(), Code::kDataLoss);
}

TEST_F(ReadTest, ADeadNodeIsPassedOver) {
  cluster_.node(0).Kill();

  ASSERT_OK_AND_ASSIGN(std::string read, ReadAll());

  EXPECT_TRUE(read == content_);
}

TEST_F(ReadTest, ASlowNodeIsPassedOver) {
  ASSERT_OK(Store("/small", "a few bytes"));
  cluster_.node(0).HangReads();
  auto client = cluster_.Connect({.replica_timeout = std::chrono::milliseconds(300)});

  ASSERT_OK_AND_ASSIGN(std::string read, ReadAll(*client, "/small"));

  EXPECT_EQ(read, "a few bytes");
}

TEST_F(ReadTest, ReplicasThatMovedAreFoundAgain) {
  const uint64_t block_id = BlockOf("/f");
  cluster_.master().Pin(block_id, {"node-2"});
  ASSERT_OK_AND_ASSIGN(auto reader, client_->OpenFile("/f"));
  cluster_.master().Unpin(block_id);

  ASSERT_OK_AND_ASSIGN(std::string read, ReadRest(*reader));

  EXPECT_TRUE(read == content_);
}

TEST_F(ReadTest, ATokenThatCountsNoMoreIsAskedForAgain) {
  cluster_.SetTokens("old");
  ASSERT_OK_AND_ASSIGN(auto reader, client_->OpenFile("/f"));
  ASSERT_OK_AND_ASSIGN(std::string begin, reader->ReadAt(0, 100));
  EXPECT_EQ(begin, content_.substr(0, 100));
  cluster_.SetTokens("new");

  ASSERT_OK_AND_ASSIGN(std::string read, ReadRest(*reader));

  EXPECT_TRUE(read == content_);
}

TEST_F(ReadTest, AReaderThatKnowsItsBlocksNeedsNoMaster) {
  ASSERT_OK_AND_ASSIGN(auto reader, client_->OpenFile("/f"));
  cluster_.KillMaster();
  cluster_.node(0).Kill();

  ASSERT_OK_AND_ASSIGN(std::string read, ReadRest(*reader));

  EXPECT_TRUE(read == content_);
}

TEST_F(ReadTest, NoLiveReplicaIsUnavailableAfterTheTimeout) {
  cluster_.node(0).Kill();
  cluster_.node(1).Kill();
  auto client = cluster_.Connect({.read_timeout = std::chrono::milliseconds(1'000)});

  EXPECT_EQ(ReadAll(*client, "/f").status().code(), Code::kUnavailable);
  EXPECT_THAT(cluster_.notices(), Not(IsEmpty()));
}

// A file of ten blocks, of which some may be merged under whoever reads it.
class MergedBlocksTest : public ReadTest {
 protected:
  static constexpr size_t kBlocks = 10;

  void SetUp() override {
    AppenderEpoch epoch{.owner = "o", .incarnation = 1, .epoch = 1};
    epoch.files.push_back({.target = "/many"});
    for (size_t i = 0; i < kBlocks; ++i) {
      parts_.push_back(RandomBytes(1000 + i, i));
      content_ += parts_.back();
      ASSERT_OK_AND_ASSIGN(DurableBlock durable, Write(parts_.back()));
      epoch.files[0].blocks.push_back(durable);
    }
    ASSERT_OK(client_->Prepare({&epoch, 1}, true));
  }

  Result<DurableBlock> Write(const std::string& raw) {
    block::FrameCompressor compressor(1);
    block::BlockEncoder encoder(compressor);
    RETURN_IF_ERROR(encoder.Append(raw));
    const block::EncodedBlock encoded = encoder.Finish();
    const block::EncodedBlock* blocks[] = {&encoded};
    ASSIGN_OR_RETURN(auto durable, client_->WriteBlocks("o", blocks));
    return durable[0];
  }

  // Makes one block of blocks [first, first + count); the old ones are gone at once.
  void Merge(size_t first, size_t count) {
    std::string raw;
    for (size_t i = first; i < first + count; ++i)
      raw += parts_[i];
    ASSERT_OK_AND_ASSIGN(DurableBlock durable, Write(raw));
    v1::Block block;
    block.set_block_id(durable.block.block_id);
    block.set_raw_bytes(durable.block.raw_bytes);
    block.set_stored_bytes(durable.block.stored_bytes);
    block.set_crc32c(durable.block.crc32c);
    const auto before = cluster_.master().Find("/many")->blocks;
    cluster_.master().Replace("/many", first, count, block);
    for (size_t i = first; i < first + count; ++i) {
      for (const auto& node : cluster_.nodes())
        node->Drop(before[i].block_id());
    }
    parts_.erase(parts_.begin() + static_cast<ptrdiff_t>(first),
                 parts_.begin() + static_cast<ptrdiff_t>(first + count));
    parts_.insert(parts_.begin() + static_cast<ptrdiff_t>(first), raw);
  }

  std::vector<std::string> parts_;
  std::string content_;
};

TEST_F(MergedBlocksTest, AReaderGoesOnInTheBlockTheyWereMergedInto) {
  ASSERT_OK_AND_ASSIGN(auto reader, client_->OpenFile("/many"));
  ASSERT_OK_AND_ASSIGN(const std::string first, reader->ReadAt(0, 1500));
  EXPECT_TRUE(first == content_.substr(0, 1500));

  Merge(1, 8);

  for (size_t offset : {size_t{0}, size_t{999}, size_t{1000}, size_t{5'432}, size_t{9'500}}) {
    ASSERT_OK_AND_ASSIGN(const std::string read, reader->ReadAt(offset, 2'000));
    EXPECT_TRUE(read == content_.substr(offset, 2'000)) << offset;
  }
  ASSERT_OK_AND_ASSIGN(const std::string all, ReadRest(*reader));
  EXPECT_TRUE(all == content_);
}

TEST_F(MergedBlocksTest, WhatIsOnItsWayInMergedBlocksArrives) {
  for (const auto& [first, count] : {std::pair{0, 3}, std::pair{2, 5}, std::pair{0, 4}}) {
    ASSERT_OK_AND_ASSIGN(auto reader, client_->OpenFile("/many"));
    ASSERT_OK_AND_ASSIGN(std::string all, reader->Next());

    Merge(static_cast<size_t>(first), static_cast<size_t>(count));

    ASSERT_OK_AND_ASSIGN(const std::string rest, ReadRest(*reader));
    EXPECT_TRUE(all + rest == content_);
  }
}

TEST_F(MergedBlocksTest, PagesOfLocationsMayLieAcrossAMerge) {
  cluster_.master().SetLocatePage(3);
  ASSERT_OK_AND_ASSIGN(auto reader, client_->OpenFile("/many"));

  Merge(1, 5);

  ASSERT_OK_AND_ASSIGN(const std::string all, ReadRest(*reader));
  EXPECT_TRUE(all == content_);
}

TEST_F(MergedBlocksTest, WhatWasAppendedAndMergedWithTheEndIsNotRead) {
  ASSERT_OK_AND_ASSIGN(auto reader, client_->OpenFile("/many"));
  AppenderEpoch epoch{.owner = "o", .incarnation = 1, .epoch = 2};
  parts_.push_back("appended");
  ASSERT_OK_AND_ASSIGN(DurableBlock durable, Write(parts_.back()));
  epoch.files.push_back({.target = reader->status().inode_id,
                         .expected_length_bytes = content_.size(),
                         .blocks = {durable}});
  ASSERT_OK(client_->Prepare({&epoch, 1}, true));

  Merge(5, 6);

  ASSERT_OK_AND_ASSIGN(const std::string all, ReadRest(*reader));
  EXPECT_TRUE(all == content_);
}

TEST_F(MergedBlocksTest, AFileThatWasCutMeanwhileIsAnError) {
  ASSERT_OK_AND_ASSIGN(auto reader, client_->OpenFile("/many"));

  cluster_.master().Cut("/many");
  Merge(1, 8);

  EXPECT_EQ(ReadRest(*reader).status().code(), Code::kFailedPrecondition);
}

TEST_F(MergedBlocksTest, TheChecksumIsTheSame) {
  ASSERT_OK_AND_ASSIGN(const FileChecksum before, client_->Checksum("/many"));
  cluster_.master().SetLocatePage(2);
  std::atomic<bool> is_merged = false;
  // A merge between where the blocks were located and where their sums are made.
  cluster_.node(0).OnRead([&]() -> Status {
    if (!is_merged.exchange(true)) Merge(1, 6);
    return {};
  });

  ASSERT_OK_AND_ASSIGN(const FileChecksum after, client_->Checksum("/many"));

  EXPECT_TRUE(is_merged);
  EXPECT_EQ(after, before);
}

TEST_F(ReadTest, LocationsComeInPages) {
  constexpr int kBlocks = 7;
  AppenderEpoch epoch{.owner = "o", .incarnation = 1, .epoch = 1};
  epoch.files.push_back({.target = "/many"});
  std::string content;
  for (int i = 0; i < kBlocks; ++i) {
    const std::string part = RandomBytes(1000, static_cast<uint64_t>(i));
    content += part;
    block::FrameCompressor compressor(1);
    block::BlockEncoder encoder(compressor);
    ASSERT_OK(encoder.Append(part));
    const block::EncodedBlock encoded = encoder.Finish();
    const block::EncodedBlock* blocks[] = {&encoded};
    ASSERT_OK_AND_ASSIGN(auto durable, client_->WriteBlocks("o", blocks));
    epoch.files[0].blocks.push_back(durable[0]);
  }
  ASSERT_OK(client_->Prepare({&epoch, 1}, true));
  cluster_.master().SetLocatePage(2);

  ASSERT_OK_AND_ASSIGN(std::string read, ReadAll("/many"));

  EXPECT_TRUE(read == content);
}

}  // namespace
}  // namespace slipstream::dfs
