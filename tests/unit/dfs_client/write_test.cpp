#include <atomic>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/block/encoded_block.h"
#include "common/clock/manual_clock.h"
#include "dfs-client/block_writer.h"
#include "dfs-client/dfs_client.h"
#include "tests/support/assert_ok.h"
#include "tests/unit/dfs_client/fake_cluster.h"
#include "tests/unit/dfs_client/test_bytes.h"

namespace slipstream::dfs {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

block::EncodedBlock Encode(std::string_view raw) {
  block::FrameCompressor compressor(3);
  block::BlockEncoder encoder(compressor);
  EXPECT_TRUE(encoder.Append(raw).ok());
  return encoder.Finish();
}

class WriteTest : public ::testing::Test {
 protected:
  Result<std::vector<DurableBlock>> WriteOne() {
    const block::EncodedBlock* blocks[] = {&encoded_};
    return client_->WriteBlocks("owner", blocks);
  }
  std::vector<std::string> ExcludedAt(size_t allocation) {
    const v1::AllocateBlocksRequest request = cluster_.master().allocations().at(allocation);
    return {request.exclude_node_ids().begin(), request.exclude_node_ids().end()};
  }

  FakeCluster cluster_;
  std::unique_ptr<DfsClient> client_ = cluster_.Connect();
  block::EncodedBlock encoded_ = Encode("some bytes");
};

TEST_F(WriteTest, BlocksOfOneCallShareAnAllocation) {
  std::vector<block::EncodedBlock> encoded;
  for (int i = 0; i < 50; ++i)
    encoded.push_back(Encode("block " + std::to_string(i)));
  std::vector<const block::EncodedBlock*> pointers;
  for (const auto& block : encoded)
    pointers.push_back(&block);

  ASSERT_OK_AND_ASSIGN(auto durable, client_->WriteBlocks("owner", pointers));

  EXPECT_THAT(cluster_.master().allocations(), SizeIs(1));
  ASSERT_THAT(durable, SizeIs(50));
  for (size_t i = 0; i < durable.size(); ++i) {
    EXPECT_EQ(durable[i].block.crc32c, encoded[i].crc32c);
    EXPECT_EQ(durable[i].block.block_id, durable[0].block.block_id + i);
    EXPECT_THAT(durable[i].holder_node_ids, ElementsAre("node-0", "node-1"));
  }
}

TEST_F(WriteTest, WhatTheMasterGrantedGoesAlong) {
  cluster_.SetTokens("seal");
  ManualClock clock;
  const auto client = cluster_.Connect({.clock = &clock});
  const block::EncodedBlock other = Encode("other bytes");
  const block::EncodedBlock* two[] = {&encoded_, &other};

  ASSERT_OK(client->WriteBlocks("owner", two));
  // Of several ids that were given ahead each is used under the grant of all.
  for (int i = 0; i < 5; ++i)
    ASSERT_OK(client->WriteBlocks("owner", std::span(two).first(1)));
  EXPECT_LT(cluster_.master().allocations().size(), 6U);
}

TEST_F(WriteTest, NoBlocksAreNoCall) {
  ASSERT_OK_AND_ASSIGN(auto durable, client_->WriteBlocks("owner", {}));

  EXPECT_THAT(durable, IsEmpty());
  EXPECT_THAT(cluster_.master().allocations(), IsEmpty());
}

TEST_F(WriteTest, AFailedNodeIsAvoidedUnderNewIds) {
  cluster_.node(0).OnWrite([] { return Unavailable("disk trouble"); });

  ASSERT_OK_AND_ASSIGN(auto durable, WriteOne());

  EXPECT_THAT(durable[0].holder_node_ids, ElementsAre("node-1", "node-2"));
  EXPECT_EQ(durable[0].block.block_id, 2U);
  EXPECT_THAT(ExcludedAt(1), ElementsAre("node-0"));
}

TEST_F(WriteTest, ADeadNodeIsAvoided) {
  cluster_.node(0).Kill();

  ASSERT_OK_AND_ASSIGN(auto durable, WriteOne());

  EXPECT_THAT(durable[0].holder_node_ids, ElementsAre("node-1", "node-2"));
}

TEST_F(WriteTest, TheNodeThatTheErrorNamesIsTheOneAvoided) {
  std::atomic<int> writes = 0;
  cluster_.node(0).OnWrite([&] {
    return writes++ == 0 ? Unavailable("next node node-1: connection refused") : Status();
  });

  ASSERT_OK_AND_ASSIGN(auto durable, WriteOne());

  EXPECT_THAT(durable[0].holder_node_ids, ElementsAre("node-0", "node-2"));
  EXPECT_THAT(ExcludedAt(1), ElementsAre("node-1"));
}

TEST_F(WriteTest, ATakenIdIsNobodysFault) {
  std::atomic<int> writes = 0;
  cluster_.node(0).OnWrite([&] { return writes++ == 0 ? AlreadyExists("block 1") : Status(); });

  ASSERT_OK_AND_ASSIGN(auto durable, WriteOne());

  EXPECT_EQ(durable[0].block.block_id, 2U);
  EXPECT_THAT(ExcludedAt(1), IsEmpty());
}

TEST_F(WriteTest, DamageThatStaysEndsTheCall) {
  std::atomic<int> writes = 0;
  for (const auto& node : cluster_.nodes()) {
    node->OnWrite([&] {
      ++writes;
      return DataLoss("crc32c does not match");
    });
  }

  EXPECT_EQ(WriteOne().status().code(), Code::kDataLoss);
  EXPECT_EQ(writes, 5);
}

TEST_F(WriteTest, WhatCannotSucceedIsNotTriedAgain) {
  cluster_.node(0).OnWrite([] { return InvalidArgument("a frame too many"); });

  EXPECT_EQ(WriteOne().status().code(), Code::kInvalidArgument);
  EXPECT_THAT(cluster_.master().allocations(), SizeIs(1));
}

TEST_F(WriteTest, WaitsVisiblyForDatanodes) {
  int calls = 0;
  cluster_.master().OnAllocate(
      [&] { return ++calls < 4 ? Unavailable("too few datanodes") : Status(); });

  ASSERT_OK(WriteOne());

  EXPECT_THAT(cluster_.notices(), Contains(HasSubstr("too few datanodes")));
}

TEST_F(WriteTest, FailedNodesAreUsedAgainWhenThereAreNoOthers) {
  std::atomic<int> failures = 2;
  for (const auto& node : cluster_.nodes())
    node->OnWrite([&] { return failures-- > 0 ? Unavailable("busy") : Status(); });

  ASSERT_OK(WriteOne());
}

// As when one node is back from a failure and another dies.
TEST_F(WriteTest, TheNodeThatFailedLastIsAvoidedAsLongAsThereAreOthers) {
  std::atomic<int> failures = 1;
  cluster_.node(0).OnWrite([&] { return failures-- > 0 ? Unavailable("busy") : Status(); });
  ASSERT_OK(WriteOne());
  cluster_.node(1).Kill();

  ASSERT_OK_AND_ASSIGN(auto durable, WriteOne());

  EXPECT_THAT(durable[0].holder_node_ids, ElementsAre("node-0", "node-2"));
  // One allocation each that failed; then both nodes are too many to do without.
  EXPECT_THAT(ExcludedAt(2), ElementsAre("node-0"));
  EXPECT_THAT(ExcludedAt(3), ElementsAre("node-1", "node-0"));
  EXPECT_THAT(ExcludedAt(4), ElementsAre("node-1"));
  EXPECT_THAT(cluster_.master().allocations(), SizeIs(5));
}

TEST_F(WriteTest, WhoWritesOneSmallBlockAfterAnotherAllocatesAhead) {
  std::set<uint64_t> ids;
  for (int i = 0; i < 40; ++i) {
    ASSERT_OK_AND_ASSIGN(auto durable, WriteOne());
    ids.insert(durable[0].block.block_id);
  }

  EXPECT_THAT(ids, SizeIs(40));
  std::vector<uint32_t> counts;
  for (const v1::AllocateBlocksRequest& request : cluster_.master().allocations())
    counts.push_back(request.count());
  EXPECT_THAT(counts, ElementsAre(1, 2, 4, 8, 16, 16));
}

TEST_F(WriteTest, IdsAllocatedAheadAreForgottenWithTheirTimeAndTheirNodes) {
  ManualClock clock;
  auto client = cluster_.Connect({.clock = &clock});
  const block::EncodedBlock* blocks[] = {&encoded_};
  auto write = [&] { return client->WriteBlocks("owner", blocks); };
  ASSERT_OK(write());
  ASSERT_OK(write());
  clock.Advance(BlockWriter::kAheadTime);

  ASSERT_OK(write());
  EXPECT_EQ(cluster_.master().allocations().back().count(), 1U);
  ASSERT_OK(write());
  EXPECT_EQ(cluster_.master().allocations().back().count(), 2U);

  cluster_.node(0).OnWrite([] { return Unavailable("disk trouble"); });
  ASSERT_OK_AND_ASSIGN(auto durable, write());
  EXPECT_THAT(durable[0].holder_node_ids, ElementsAre("node-1", "node-2"));
}

TEST_F(WriteTest, LargeBlocksSpreadOverAllocations) {
  const std::string raw = RandomBytes(9 << 20, 1);
  std::vector<block::EncodedBlock> encoded;
  for (int i = 0; i < 3; ++i)
    encoded.push_back(Encode(raw));
  const block::EncodedBlock* blocks[] = {&encoded[0], &encoded[1], &encoded[2]};

  ASSERT_OK_AND_ASSIGN(auto durable, client_->WriteBlocks("owner", blocks));

  EXPECT_THAT(cluster_.master().allocations(), SizeIs(3));
  std::set<uint64_t> ids;
  for (const DurableBlock& block : durable)
    ids.insert(block.block.block_id);
  EXPECT_THAT(ids, SizeIs(3));
}

TEST_F(WriteTest, AFileIsVisibleFromItsCloseOn) {
  auto writer = client_->CreateFile("/f");
  ASSERT_OK(writer->Write("hello"));
  EXPECT_FALSE(cluster_.master().Find("/f").has_value());

  ASSERT_OK(writer->Close());

  EXPECT_TRUE(cluster_.master().Find("/f").has_value());
  EXPECT_EQ(writer->Write("more").code(), Code::kFailedPrecondition);
  EXPECT_OK(writer->Close());
}

TEST_F(WriteTest, AnUnfinishedFileLeavesNothingVisible) {
  {
    auto writer = client_->CreateFile("/f");
    ASSERT_OK(writer->Write("hello"));
  }

  EXPECT_FALSE(cluster_.master().Find("/f").has_value());
}

TEST_F(WriteTest, AnErrorOfAFileIsKept) {
  cluster_.node(0).OnWrite([] { return InvalidArgument("no"); });
  auto writer = client_->CreateFile("/f");
  ASSERT_OK(writer->Write("hello"));

  EXPECT_EQ(writer->Close().code(), Code::kInvalidArgument);
  EXPECT_EQ(writer->Close().code(), Code::kInvalidArgument);
  EXPECT_FALSE(cluster_.master().Find("/f").has_value());
}

TEST_F(WriteTest, AnExistingFileIsKeptUnlessItIsToBeReplaced) {
  ASSERT_OK(client_->CreateFile("/f")->Close());

  EXPECT_EQ(client_->CreateFile("/f")->Close().code(), Code::kAlreadyExists);
  EXPECT_OK(client_->CreateFile("/f", {.replace = true})->Close());
}

TEST(CutBatchesTest, CutsWhereABatchIsFull) {
  block::EncodedBlock small;
  small.data.resize(100);
  block::EncodedBlock large;
  large.data.resize(BlockWriter::kBatchBytesMin);
  const block::EncodedBlock* blocks[] = {&small, &large, &large, &small, &small};

  auto batches = CutBatches(blocks);

  ASSERT_THAT(batches, SizeIs(3));
  EXPECT_EQ(batches[0].size(), 2U);
  EXPECT_EQ(batches[1].size(), 1U);
  EXPECT_EQ(batches[2].size(), 2U);
}

TEST(NodesToBlameTest, NamesTheNodeOfTheMessageElseTheFirst) {
  const std::vector<NodeAddress> chain{{.node_id = "a-1", .address = "10.0.0.1:1"},
                                       {.node_id = "b-2", .address = "10.0.0.2:1"}};

  EXPECT_THAT(NodesToBlame(chain, Unavailable("next node b-2 failed")), ElementsAre("b-2"));
  EXPECT_THAT(NodesToBlame(chain, Unavailable("10.0.0.2:1: refused")), ElementsAre("b-2"));
  EXPECT_THAT(NodesToBlame(chain, Unavailable("connection reset")), ElementsAre("a-1"));
  EXPECT_THAT(NodesToBlame(chain, DeadlineExceeded("")), ElementsAre("a-1", "b-2"));
}

}  // namespace
}  // namespace slipstream::dfs
