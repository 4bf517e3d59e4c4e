// Block tokens at a datanode: what it takes, and from whom it has its keys.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dfs-datanode/block_token_checker.h"
#include "tests/unit/dfs_datanode/test_node.h"

namespace slipstream::datanode {
namespace {

using block::Grant;
using block::Right;
using block::TokenKey;
using block::TokenSealer;
using testing::ElementsAre;

class BlockTokenCheckerTest : public testing::Test {
 protected:
  static constexpr Grant kGrant{.right = Right::kRead, .first = 7};

  std::string TokenOf(const TokenKey& key) const { return TokenSealer(key).Seal(kGrant); }

  ManualClock clock_;
  BlockTokenChecker checker_{clock_};
  const TokenKey old_ = TokenKey::MakeRandom();
  const TokenKey new_ = TokenKey::MakeRandom();
};

TEST_F(BlockTokenCheckerTest, TakesWhatTheMasterSealedAndNothingElse) {
  EXPECT_EQ(checker_.newest_key_id(), 0U);
  EXPECT_EQ(checker_.Issue(kGrant), "");
  EXPECT_EQ(checker_.Check(kGrant, TokenOf(old_)).code(), Code::kUnavailable);

  checker_.Take({old_});
  EXPECT_EQ(checker_.newest_key_id(), old_.id);
  EXPECT_TRUE(checker_.Check(kGrant, TokenOf(old_)).ok());
  EXPECT_EQ(checker_.Check(kGrant, "").code(), Code::kPermissionDenied);
  EXPECT_EQ(checker_.Check({.right = Right::kWrite, .first = 7}, TokenOf(old_)).code(),
            Code::kPermissionDenied);
  EXPECT_EQ(checker_.Check({.first = 8}, TokenOf(old_)).code(), Code::kPermissionDenied);
  EXPECT_EQ(checker_.Check(kGrant, TokenOf(new_)).code(), Code::kUnavailable);
}

TEST_F(BlockTokenCheckerTest, IssuesWithAKeyThatOthersHaveHeardOf) {
  checker_.Take({old_});
  EXPECT_EQ(checker_.Issue(kGrant), TokenOf(old_));
  checker_.Take({old_, new_});
  EXPECT_EQ(checker_.newest_key_id(), new_.id);
  EXPECT_EQ(checker_.Issue(kGrant), TokenOf(old_));
  // A restarted master's keys are its own.
  checker_.Take({new_});
  EXPECT_EQ(checker_.Issue(kGrant), TokenOf(new_));
}

TEST_F(BlockTokenCheckerTest, KeysOfAMasterThatIsGoneCountForTheirLife) {
  checker_.Take({old_});
  clock_.Advance(block::kTokenKeyLife - std::chrono::milliseconds(1));
  checker_.Take({new_});
  EXPECT_TRUE(checker_.Check(kGrant, TokenOf(old_)).ok());

  clock_.Advance(std::chrono::milliseconds(1));
  checker_.Take({new_});
  EXPECT_EQ(checker_.Check(kGrant, TokenOf(old_)).code(), Code::kUnavailable);
  EXPECT_TRUE(checker_.Check(kGrant, TokenOf(new_)).ok());
}

TEST_F(BlockTokenCheckerTest, WhatIsNoKeyIsPassedOver) {
  checker_.Take({{.id = 5, .secret = "short"}, {.id = 0, .secret = std::string(32, 'x')}});
  EXPECT_EQ(checker_.newest_key_id(), 0U);
  EXPECT_EQ(checker_.Issue(kGrant), "");
}

TEST_F(BlockTokenCheckerTest, HoldsABoundedNumberOfKeys) {
  checker_.Take({old_});
  for (size_t i = 0; i < BlockTokenChecker::kKeysMax; ++i)
    checker_.Take({TokenKey::MakeRandom()});
  EXPECT_EQ(checker_.Check(kGrant, TokenOf(old_)).code(), Code::kUnavailable);
}

// Two nodes that ask for tokens and have had the same key of their masters.
class TokenServiceTest : public testing::Test {
 protected:
  TokenServiceTest() {
    for (TestNode* node : {&first_, &second_}) {
      node->master().token_keys = {key_};
      node->node().session().Step();
    }
  }

  WriteMessages Granted(WriteMessages messages, const Grant& grant, const std::string& token) {
    auto& header = *messages[0].mutable_header();
    header.mutable_range()->set_first_block_id(grant.first);
    header.mutable_range()->set_count(grant.count);
    header.set_token(token);
    return messages;
  }
  // With the master's word for these ids.
  WriteMessages Granted(WriteMessages messages, block::BlockId first, uint32_t count) {
    const Grant grant{.right = Right::kWrite, .first = first, .count = count};
    return Granted(std::move(messages), grant, sealer_.Seal(grant));
  }
  std::string MayRead(block::BlockId id) const { return sealer_.Seal({.first = id}); }

  const TokenKey key_ = TokenKey::MakeRandom();
  const TokenSealer sealer_{key_};
  TestNode first_{{.wants_tokens = true}};
  TestNode second_{{.wants_tokens = true}};
};

TEST_F(TokenServiceTest, AChainTakesWhatWasGranted) {
  const auto holders =
      Send(first_, Granted(MessagesOf({SmallBlock(1), LargeBlock(2)}, {second_.address()}), 1, 2));

  ASSERT_TRUE(holders.ok()) << holders.status().ToString();
  EXPECT_THAT(*holders, ElementsAre(first_.id(), second_.id()));
}

TEST_F(TokenServiceTest, NothingElseIsWritten) {
  const Grant read{.right = Right::kRead, .first = 1};
  const WriteMessages small = MessagesOf({SmallBlock(1)});
  EXPECT_EQ(Send(first_, small).status().code(), Code::kPermissionDenied);
  EXPECT_EQ(Send(first_, Granted(small, read, sealer_.Seal(read))).status().code(),
            Code::kPermissionDenied);
  // Neither beside the ids that were granted, nor by saying that more were.
  EXPECT_EQ(Send(first_, Granted(MessagesOf({SmallBlock(1), SmallBlock(2)}), 1, 1)).status().code(),
            Code::kPermissionDenied);
  const Grant granted{.right = Right::kWrite, .first = 1};
  EXPECT_EQ(Send(first_,
                 Granted(MessagesOf({SmallBlock(1), SmallBlock(2)}),
                         {.right = Right::kWrite, .first = 1, .count = 2},
                         sealer_.Seal(granted)))
                .status()
                .code(),
            Code::kPermissionDenied);
  EXPECT_TRUE(first_.store().List().replicas.empty());
}

TEST_F(TokenServiceTest, OnlyWhatWasGrantedIsRead) {
  const TestBlock block = SmallBlock(1);
  ASSERT_TRUE(Write(first_.store(), {block, SmallBlock(2)}).ok());

  EXPECT_TRUE(Fetch(first_, block.meta.identity, 0, 0, MayRead(1)).ok());
  EXPECT_EQ(Fetch(first_, block.meta.identity).status().code(), Code::kPermissionDenied);
  EXPECT_EQ(Fetch(first_, block.meta.identity, 0, 0, MayRead(2)).status().code(),
            Code::kPermissionDenied);

  grpc::ClientContext range_context;
  rpc::SetTimeout(range_context, kTestTimeout);
  dfs::v1::ReadBlockRequest range;
  *range.mutable_block() = ToProto(block.meta.identity);
  range.set_length_bytes(1);
  dfs::v1::ReadRangeResponse frames;
  EXPECT_EQ(first_.NewStub()->ReadRange(&range_context, range, &frames).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);

  grpc::ClientContext sums_context;
  rpc::SetTimeout(sums_context, kTestTimeout);
  dfs::v1::ChecksumBlockRequest sums;
  *sums.mutable_block() = ToProto(block.meta.identity);
  sums.set_length_bytes(1);
  const auto reader = first_.NewStub()->ChecksumBlock(&sums_context, sums);
  dfs::v1::ChecksumBlockResponse answer;
  EXPECT_FALSE(reader->Read(&answer));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(TokenServiceTest, NodesCopyToOneAnotherByTheirOwnTokens) {
  const TestBlock block = LargeBlock(1);
  ASSERT_TRUE(Write(first_.store(), {block}).ok());

  const Status copied = first_.node().copier().Copy(block.meta.identity, second_.address());

  EXPECT_TRUE(copied.ok()) << copied.ToString();
  EXPECT_TRUE(second_.store().Read(1).ok());
}

TEST_F(TokenServiceTest, NodesMergeByTheirOwnTokens) {
  const TestBlock here = LargeBlock(1);
  const TestBlock there = LargeBlock(2);
  ASSERT_TRUE(Write(first_.store(), {here}).ok());
  ASSERT_TRUE(Write(second_.store(), {there}).ok());
  const auto source = [](const TestBlock& block, const TestNode& node) {
    return MergeOrder::Source{.identity = block.meta.identity,
                              .length_bytes = block.meta.identity.raw_bytes,
                              .holders = {node.address()}};
  };

  const MergeOutcome outcome =
      first_.node().merger().Merge({.sources = {source(here, first_), source(there, second_)},
                                    .block_id = 3,
                                    .next = {second_.address()}});

  EXPECT_EQ(outcome.failure, "");
  EXPECT_THAT(outcome.holder_node_ids, ElementsAre(first_.id(), second_.id()));
}

TEST_F(TokenServiceTest, NewKeysComeWithAHeartbeat) {
  const TokenKey newer = TokenKey::MakeRandom();
  first_.master().token_keys = {key_, newer};
  first_.clock().Advance(std::chrono::seconds(1));
  first_.node().session().Step();

  EXPECT_EQ(first_.master().heartbeats.back().newest_token_key_id(), key_.id);
  EXPECT_EQ(first_.node().tokens().newest_key_id(), newer.id);
  EXPECT_TRUE(
      first_.node().tokens().Check({.first = 1}, TokenSealer(newer).Seal({.first = 1})).ok());
}

}  // namespace
}  // namespace slipstream::datanode
