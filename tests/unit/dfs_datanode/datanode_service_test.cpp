#include "dfs-datanode/datanode_service.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/failpoint/failpoint.h"
#include "tests/unit/dfs_datanode/test_node.h"

namespace slipstream::datanode {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DatanodeServiceTest : public testing::Test {
 protected:
  DatanodeServiceTest() {
    first_.node().session().Step();
    second_.node().session().Step();
  }
  ~DatanodeServiceTest() override { EXPECT_TRUE(failpoint::Configure("").ok()); }

  TestNode first_;
  TestNode second_;
};

std::string RawOf(block::BlockId block_id, size_t raw_bytes) {
  return block::MakeRaw(raw_bytes, static_cast<uint32_t>(block_id), 80);
}

TEST_F(DatanodeServiceTest, AChainHoldsAllBlocksOnEveryNodeWhenItAnswers) {
  const std::vector<TestBlock> blocks = {SmallBlock(1), LargeBlock(2), MakeBlock(3, 2'500'000)};

  Result<std::vector<std::string>> holders = Send(first_, MessagesOf(blocks, {second_.address()}));

  ASSERT_TRUE(holders.ok()) << holders.status().ToString();
  EXPECT_THAT(*holders, ElementsAre(first_.id(), second_.id()));
  for (TestNode* node : {&first_, &second_}) {
    EXPECT_EQ(Fetch(*node, blocks[0].meta.identity)->raw, RawOf(1, 900));
    EXPECT_EQ(Fetch(*node, blocks[1].meta.identity)->raw, RawOf(2, 9'000));
    EXPECT_EQ(Fetch(*node, blocks[2].meta.identity)->raw, RawOf(3, 2'500'000));
  }
}

// As one message of a stream.
dfs::v1::WriteBlocksRequest Whole(const std::vector<TestBlock>& blocks) {
  dfs::v1::WriteBlocksRequest whole;
  for (const TestBlock& block : blocks) {
    for (const dfs::v1::WriteBlocksRequest& message : MessagesOf({block})) {
      if (message.has_block()) *whole.mutable_whole_blocks()->add_blocks() = message.block();
      whole.mutable_whole_blocks()->mutable_data()->append(message.data());
    }
  }
  return whole;
}

TEST_F(DatanodeServiceTest, BlocksMayComeWholeManyInAMessage) {
  const TestBlock in_pieces = LargeBlock(3);
  WriteMessages messages = MessagesOf({in_pieces}, {second_.address()});
  messages.insert(messages.begin() + 1, Whole({SmallBlock(1), LargeBlock(2)}));
  messages.push_back(Whole({SmallBlock(4)}));
  messages.back().mutable_whole_blocks()->set_is_end(true);

  Result<std::vector<std::string>> holders = Send(first_, messages);

  ASSERT_TRUE(holders.ok()) << holders.status().ToString();
  EXPECT_THAT(*holders, ElementsAre(first_.id(), second_.id()));
  for (TestNode* node : {&first_, &second_}) {
    EXPECT_EQ(Fetch(*node, SmallBlock(1).meta.identity)->raw, RawOf(1, 900));
    EXPECT_EQ(Fetch(*node, LargeBlock(2).meta.identity)->raw, RawOf(2, 9'000));
    EXPECT_EQ(Fetch(*node, in_pieces.meta.identity)->raw, RawOf(3, 9'000));
    EXPECT_EQ(Fetch(*node, SmallBlock(4).meta.identity)->raw, RawOf(4, 900));
  }
}

TEST_F(DatanodeServiceTest, ASmallWriteIsOneMessage) {
  dfs::v1::WriteBlocksRequest only = Whole({SmallBlock(1), SmallBlock(2)});
  *only.mutable_header() = HeaderMessage({second_.address()}).header();
  only.mutable_whole_blocks()->set_is_end(true);

  Result<std::vector<std::string>> holders = Send(first_, {only});

  ASSERT_TRUE(holders.ok()) << holders.status().ToString();
  EXPECT_THAT(*holders, ElementsAre(first_.id(), second_.id()));
  for (TestNode* node : {&first_, &second_}) {
    EXPECT_EQ(Fetch(*node, SmallBlock(1).meta.identity)->raw, RawOf(1, 900));
    EXPECT_EQ(Fetch(*node, SmallBlock(2).meta.identity)->raw, RawOf(2, 900));
  }
}

TEST_F(DatanodeServiceTest, MoreMayFollowWhatCameWithTheHeader) {
  dfs::v1::WriteBlocksRequest first = Whole({SmallBlock(1)});
  *first.mutable_header() = HeaderMessage({second_.address()}).header();
  WriteMessages messages = MessagesOf({LargeBlock(2)});
  messages.front() = first;
  messages.push_back(Whole({SmallBlock(3)}));

  Result<std::vector<std::string>> holders = Send(first_, messages);

  ASSERT_TRUE(holders.ok()) << holders.status().ToString();
  EXPECT_EQ(Fetch(second_, SmallBlock(1).meta.identity)->raw, RawOf(1, 900));
  EXPECT_EQ(Fetch(second_, LargeBlock(2).meta.identity)->raw, RawOf(2, 9'000));
  EXPECT_EQ(Fetch(second_, SmallBlock(3).meta.identity)->raw, RawOf(3, 900));
}

TEST_F(DatanodeServiceTest, AHeaderComesOnceAndWholeBlocksWithNothingElse) {
  dfs::v1::WriteBlocksRequest again = Whole({SmallBlock(2)});
  *again.mutable_header() = HeaderMessage({}).header();
  dfs::v1::WriteBlocksRequest both = Whole({SmallBlock(2)});
  both.set_data("data");

  for (const dfs::v1::WriteBlocksRequest& wrong : {again, both}) {
    EXPECT_EQ(Send(first_, {HeaderMessage({}), Whole({SmallBlock(1)}), wrong}).status().code(),
              Code::kInvalidArgument);
  }
  EXPECT_THAT(Ids(first_.store()), IsEmpty());
}

TEST_F(DatanodeServiceTest, WholeBlocksHaveTheDataTheirHeadersSay) {
  dfs::v1::WriteBlocksRequest more = Whole({SmallBlock(1), SmallBlock(2)});
  more.mutable_whole_blocks()->mutable_data()->push_back('x');
  dfs::v1::WriteBlocksRequest less = Whole({SmallBlock(1), SmallBlock(2)});
  less.mutable_whole_blocks()->mutable_data()->pop_back();
  dfs::v1::WriteBlocksRequest damaged = Whole({SmallBlock(1), SmallBlock(2)});
  damaged.mutable_whole_blocks()->mutable_data()->back() ^= 1;

  dfs::v1::WriteBlocksRequest end = Whole({SmallBlock(1)});
  end.mutable_whole_blocks()->set_is_end(true);

  const auto header = HeaderMessage({});
  EXPECT_EQ(Send(first_, {HeaderMessage({second_.address()}), end, Whole({SmallBlock(2)})})
                .status()
                .code(),
            Code::kInvalidArgument);
  EXPECT_EQ(Send(first_, {header, more}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Send(first_, {header, less}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Send(first_, {header, damaged}).status().code(), Code::kDataLoss);
  EXPECT_THAT(Ids(first_.store()), IsEmpty());
}

TEST_F(DatanodeServiceTest, ARangeReadSendsItsFramesOnly) {
  const TestBlock block = MakeBlock(3, 2'500'000);
  ASSERT_TRUE(Send(first_, MessagesOf({block})).ok());
  constexpr uint64_t kFrame = block::kFrameRawBytesMax;

  Result<ReadFrames> frames = Fetch(first_, block.meta.identity, kFrame + 5, 10);
  ASSERT_TRUE(frames.ok());
  EXPECT_EQ(frames->raw_offset, kFrame);
  EXPECT_EQ(frames->raw, RawOf(3, 2'500'000).substr(kFrame, kFrame));
  frames = Fetch(first_, block.meta.identity, kFrame - 1, 2);
  EXPECT_EQ(frames->raw_offset, 0u);
  EXPECT_EQ(frames->raw.size(), 2 * kFrame);
  frames = Fetch(first_, block.meta.identity, 2 * kFrame, 0);
  EXPECT_EQ(frames->raw.size(), 2'500'000 - 2 * kFrame);
}

TEST_F(DatanodeServiceTest, AShortRangeComesInOneMessage) {
  const TestBlock block = MakeBlock(3, 2'500'000);
  ASSERT_TRUE(Send(first_, MessagesOf({block})).ok());
  auto read = [&](uint64_t offset, uint64_t length, dfs::v1::ReadRangeResponse& response) {
    dfs::v1::ReadBlockRequest request;
    *request.mutable_block() = ToProto(block.meta.identity);
    request.set_offset_bytes(offset);
    request.set_length_bytes(length);
    grpc::ClientContext context;
    rpc::SetTimeout(context, kTestTimeout);
    return rpc::FromGrpc(first_.NewStub()->ReadRange(&context, request, &response)).code();
  };
  constexpr uint64_t kFrame = block::kFrameRawBytesMax;
  dfs::v1::ReadRangeResponse response;

  ASSERT_EQ(read(kFrame - 1, 2, response), Code::kOk);
  ASSERT_EQ(response.frames_size(), 2);
  EXPECT_EQ(response.frames(0).raw_offset_bytes(), 0U);
  EXPECT_EQ(response.frames(1).raw_offset_bytes(), kFrame);

  response.Clear();
  EXPECT_EQ(read(0, 0, response), Code::kInvalidArgument);
  EXPECT_EQ(read(0, (1 << 20) + 1, response), Code::kInvalidArgument);
  EXPECT_EQ(read(2'500'000, 1, response), Code::kOutOfRange);
  EXPECT_EQ(response.frames_size(), 0);
}

TEST_F(DatanodeServiceTest, RefusesReadsOfWhatIsNotHere) {
  const TestBlock block = LargeBlock(1);
  ASSERT_TRUE(Send(first_, MessagesOf({block})).ok());

  EXPECT_EQ(Fetch(first_, LargeBlock(2).meta.identity).status().code(), Code::kNotFound);
  EXPECT_EQ(Fetch(first_, block.meta.identity, 9'000).status().code(), Code::kOutOfRange);
  EXPECT_EQ(Fetch(first_, block.meta.identity, 1, 9'000).status().code(), Code::kOutOfRange);
}

TEST_F(DatanodeServiceTest, AClientsClaimAloneCondemnsNoReplica) {
  const TestBlock block = LargeBlock(1);
  ASSERT_TRUE(Send(first_, MessagesOf({block})).ok());
  block::Identity other = block.meta.identity;
  ++other.crc32c;

  EXPECT_EQ(Fetch(first_, other).status().code(), Code::kDataLoss);
  EXPECT_EQ(Fetch(first_, block.meta.identity)->raw, RawOf(1, 9'000));
}

TEST_F(DatanodeServiceTest, ABadReplicaIsNotServedAndReportsItself) {
  const TestBlock block = LargeBlock(1);
  ASSERT_TRUE(Send(first_, MessagesOf({block})).ok());
  const std::string path = "/data/blocks/00/0000000000000001.zst";
  std::string bad = first_.fs().Content(path);
  bad[bad.size() / 2] ^= 1;
  first_.fs().SetContent(path, bad);

  EXPECT_EQ(Fetch(first_, block.meta.identity).status().code(), Code::kDataLoss);
  EXPECT_EQ(first_.store().PendingChanges(10).back().kind, ReplicaChange::Kind::kCorrupt);
  EXPECT_EQ(Fetch(first_, block.meta.identity).status().code(), Code::kNotFound);
}

TEST_F(DatanodeServiceTest, AByteFlippedOnTheWayIsDataLossAndNothingIsKept) {
  WriteMessages messages = MessagesOf({SmallBlock(1), LargeBlock(2)}, {second_.address()});
  (*messages.back().mutable_data())[5] ^= 1;

  EXPECT_EQ(Send(first_, messages).status().code(), Code::kDataLoss);
  EXPECT_THAT(Ids(first_.store()), IsEmpty());
  EXPECT_THAT(Ids(second_.store()), IsEmpty());
}

TEST_F(DatanodeServiceTest, ADeadNextNodeIsNamed) {
  second_.Shutdown();

  Result<std::vector<std::string>> holders =
      Send(first_, MessagesOf({LargeBlock(1)}, {second_.address()}));

  EXPECT_EQ(holders.status().code(), Code::kUnavailable);
  EXPECT_THAT(holders.status().message(), HasSubstr("node=" + second_.id()));
}

// A port that takes connections and never says a word, as a stopped process does.
TEST_F(DatanodeServiceTest, ANextNodeThatHangsIsNamedBeforeTheWritersTimeIsOver) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
  const NodeAddress mute{.node_id = "mute",
                         .address = "127.0.0.1:" + std::to_string(ntohs(address.sin_port))};

  Result<std::vector<std::string>> holders =
      Send(first_, MessagesOf({LargeBlock(1)}, {mute}), std::chrono::milliseconds(1'000));

  EXPECT_EQ(holders.status().code(), Code::kUnavailable);
  EXPECT_THAT(holders.status().message(), HasSubstr("node=mute"));
  close(listener);
}

TEST_F(DatanodeServiceTest, AFullDiskIsToldApartByWhereItIs) {
  second_.fs().SetCapacity(100);
  Result<std::vector<std::string>> holders =
      Send(first_, MessagesOf({LargeBlock(1)}, {second_.address()}));
  EXPECT_EQ(holders.status().code(), Code::kUnavailable);
  EXPECT_THAT(holders.status().message(), HasSubstr("node=" + second_.id()));

  holders = Send(second_, MessagesOf({LargeBlock(2)}, {first_.address()}));
  EXPECT_EQ(holders.status().code(), Code::kResourceExhausted);
}

TEST_F(DatanodeServiceTest, WithoutAMasterItTakesRepairsAndReadsButNoWrites) {
  const TestBlock block = LargeBlock(1);
  first_.clock().Advance(std::chrono::milliseconds(15'001));
  WriteMessages messages = MessagesOf({block});
  EXPECT_EQ(Send(first_, messages).status().code(), Code::kUnavailable);

  messages[0] = HeaderMessage({}, /*is_repair=*/true);
  EXPECT_TRUE(Send(first_, messages).ok());
  EXPECT_EQ(Fetch(first_, block.meta.identity)->raw, RawOf(1, 9'000));
}

TEST_F(DatanodeServiceTest, ACallWithoutADeadlineIsRefused) {
  grpc::ClientContext context;
  dfs::v1::WriteBlocksResponse response;
  auto stub = first_.NewStub();
  auto writer = stub->WriteBlocks(&context, &response);
  writer->WritesDone();
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);

  grpc::ClientContext read_context;
  auto reader = stub->ReadBlock(&read_context, dfs::v1::ReadBlockRequest());
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(DatanodeServiceTest, StreamsOutOfOrderAreRefused) {
  const WriteMessages good = MessagesOf({LargeBlock(1)});
  const std::vector<WriteMessages> bad = {
      {},
      {good[1]},
      {good[0], good[2]},
      {good[0], good[0]},
      {good[0], dfs::v1::WriteBlocksRequest()},
      {good[0], good[1], good[1]},
      {good[0], good[1], good[2]},
      {HeaderMessage(std::vector<NodeAddress>(9, second_.address()))},
  };
  for (const WriteMessages& messages : bad) {
    EXPECT_EQ(Send(first_, messages).status().code(), Code::kInvalidArgument);
  }
  EXPECT_TRUE(Send(first_, good).ok());
  EXPECT_EQ(Send(first_, good).status().code(), Code::kAlreadyExists);
}

TEST_F(DatanodeServiceTest, OfAWriterThatVanishesNothingIsKept) {
  const WriteMessages messages = MessagesOf({SmallBlock(1), LargeBlock(2)}, {second_.address()});
  {
    grpc::ClientContext context;
    rpc::SetTimeout(context, kTestTimeout);
    dfs::v1::WriteBlocksResponse response;
    auto writer = first_.NewStub()->WriteBlocks(&context, &response);
    for (size_t i = 0; i + 1 < messages.size(); ++i)
      writer->Write(messages[i]);
    context.TryCancel();
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  // Its handlers end when they see that; only then is the id free again.
  while (!Send(second_, MessagesOf({LargeBlock(2)})).ok()) {
  }
  while (!Send(first_, MessagesOf({LargeBlock(2)})).ok()) {
  }
  EXPECT_THAT(Ids(first_.store()), ElementsAre(2));
  EXPECT_THAT(Ids(second_.store()), ElementsAre(2));
}

TEST_F(DatanodeServiceTest, AnAnswerThatIsLostLeavesWholeBlocks) {
  ASSERT_TRUE(failpoint::Configure("datanode.write.before_answer=error:unavailable@1").ok());

  EXPECT_EQ(Send(first_, MessagesOf({LargeBlock(1)})).status().code(), Code::kUnavailable);
  EXPECT_EQ(Fetch(first_, LargeBlock(1).meta.identity)->raw, RawOf(1, 9'000));
}

TEST_F(DatanodeServiceTest, AFailureAtAnyStepLeavesNoBlockThatIsNotWhole) {
  block::BlockId next = 1;
  for (const char* name : {"datanode.write.before_sync",
                           "datanode.write.after_sync",
                           "datanode.pack.before_sync",
                           "datanode.pack.after_sync"}) {
    const std::vector<TestBlock> blocks = {SmallBlock(next), LargeBlock(next + 1)};
    next += 2;
    ASSERT_TRUE(failpoint::Configure(std::string(name) + "=error:unavailable@1").ok());
    EXPECT_EQ(Send(first_, MessagesOf(blocks)).status().code(), Code::kUnavailable) << name;
    EXPECT_THAT(Ids(first_.store()), IsEmpty()) << name;
    ASSERT_TRUE(failpoint::Configure("").ok());
    ASSERT_TRUE(Send(first_, MessagesOf(blocks)).ok()) << name;
    for (const TestBlock& block : blocks) {
      EXPECT_EQ(*ReadAll(first_.store(), block.id()), block.stored);
      ASSERT_TRUE(first_.store().Delete(block.id()).ok());
    }
  }
}

// Whatever comes over the wire: an answer, and nothing in the store that is not right.
TEST_F(DatanodeServiceTest, SurvivesSeededMutationsOfTheStream) {
  std::mt19937 random(99);
  for (block::BlockId round = 1; round <= 300; ++round) {
    const std::vector<TestBlock> blocks = {SmallBlock(2 * round), LargeBlock(2 * round + 1)};
    WriteMessages messages = MessagesOf(blocks);
    for (auto mutations = random() % 3; mutations > 0; --mutations) {
      const size_t at = random() % messages.size();
      switch (random() % 5) {
        case 0:
          messages.erase(messages.begin() + static_cast<std::ptrdiff_t>(at));
          break;
        case 1:
          messages.insert(messages.begin(), messages[at]);
          break;
        case 2:
          std::swap(messages[at], messages[random() % messages.size()]);
          break;
        default: {
          std::string bytes = messages[at].SerializeAsString();
          if (!bytes.empty()) bytes[random() % bytes.size()] = static_cast<char>(random());
          dfs::v1::WriteBlocksRequest mutated;
          if (mutated.ParseFromString(bytes)) messages[at] = mutated;
        }
      }
      if (messages.empty()) break;
    }
    (void)Send(first_, messages);
    for (block::BlockId id : Ids(first_.store())) {
      Result<ReplicaReader> reader = first_.store().Read(id);
      ASSERT_TRUE(reader.ok());
      EXPECT_TRUE(reader->VerifyFrames().ok());
      ASSERT_TRUE(first_.store().Delete(id).ok());
    }
  }
}

}  // namespace
}  // namespace slipstream::datanode
