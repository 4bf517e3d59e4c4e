#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crc32c/crc32c.h"
#include "tests/unit/dfs_datanode/test_node.h"

namespace slipstream::datanode {
namespace {

constexpr size_t kRawBytes = 2'500'000;

class ChecksumTest : public testing::Test {
 protected:
  ChecksumTest() { EXPECT_TRUE(Write(node_.store(), {block_}).ok()); }

  Result<std::string> Checksum(const dfs::v1::ChecksumBlockRequest& request) {
    grpc::ClientContext context;
    rpc::SetTimeout(context, kTestTimeout);
    auto reader = node_.NewStub()->ChecksumBlock(&context, request);
    std::string checksums;
    dfs::v1::ChecksumBlockResponse response;
    while (reader->Read(&response))
      checksums += response.crc32c();
    RETURN_IF_ERROR(rpc::FromGrpc(reader->Finish()));
    return checksums;
  }

  dfs::v1::ChecksumBlockRequest Request(uint64_t offset, uint64_t length) const {
    dfs::v1::ChecksumBlockRequest request;
    *request.mutable_block() = ToProto(block_.meta.identity);
    request.set_offset_bytes(offset);
    request.set_length_bytes(length);
    return request;
  }

  // What it must be, made of the raw bytes in one go.
  std::string Expected(uint64_t offset, uint64_t length, uint64_t first, uint64_t piece) const {
    std::string expected;
    for (uint64_t at = offset; at < offset + length;) {
      const uint64_t bytes = std::min(at == offset ? first : piece, offset + length - at);
      const uint32_t crc = Crc32c(std::string_view(raw_).substr(at, bytes));
      for (int shift = 24; shift >= 0; shift -= 8)
        expected.push_back(static_cast<char>(crc >> shift & 0xff));
      at += bytes;
    }
    return expected;
  }

  const TestBlock block_ = MakeBlock(3, kRawBytes);
  const std::string raw_ = block::MakeRaw(kRawBytes, 3, 80);
  TestNode node_;
};

TEST_F(ChecksumTest, OfPiecesThatKnowNothingOfOurFrames) {
  EXPECT_EQ(*Checksum(Request(0, kRawBytes)), Expected(0, kRawBytes, 512, 512));
  EXPECT_EQ(*Checksum(Request(1'000'003, 700'001)), Expected(1'000'003, 700'001, 512, 512));
  EXPECT_EQ(*Checksum(Request(kRawBytes - 1, 1)), Expected(kRawBytes - 1, 1, 512, 512));

  dfs::v1::ChecksumBlockRequest request = Request(77, 2'000'000);
  request.set_first_piece_bytes(100);
  request.set_piece_bytes(64);
  EXPECT_EQ(*Checksum(request), Expected(77, 2'000'000, 100, 64));
}

TEST_F(ChecksumTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(Checksum(Request(0, 0)).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Checksum(Request(0, kRawBytes + 1)).status().code(), Code::kOutOfRange);
  EXPECT_EQ(Checksum(Request(UINT64_MAX, 2)).status().code(), Code::kOutOfRange);
  for (uint32_t piece : {1u, 63u, (1u << 20) + 1}) {
    dfs::v1::ChecksumBlockRequest request = Request(0, 10);
    request.set_piece_bytes(piece);
    EXPECT_EQ(Checksum(request).status().code(), Code::kInvalidArgument);
  }
  dfs::v1::ChecksumBlockRequest request = Request(0, 10);
  request.set_first_piece_bytes((1u << 20) + 1);
  EXPECT_EQ(Checksum(request).status().code(), Code::kInvalidArgument);
  request = Request(0, 10);
  request.mutable_block()->set_block_id(4);
  EXPECT_EQ(Checksum(request).status().code(), Code::kNotFound);
}

TEST_F(ChecksumTest, OfABadReplicaIsDataLoss) {
  const std::string path = "/data/blocks/00/0000000000000003.zst";
  std::string bad = node_.fs().Content(path);
  bad[bad.size() / 2] ^= 1;
  node_.fs().SetContent(path, bad);

  EXPECT_EQ(Checksum(Request(0, kRawBytes)).status().code(), Code::kDataLoss);
  EXPECT_EQ(Checksum(Request(0, kRawBytes)).status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace slipstream::datanode
