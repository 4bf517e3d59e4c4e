#include "dfs-master/codec.h"

#include <random>

#include <gtest/gtest.h>

#include "dfs-master/interval_set.h"
#include "dfs-master/path.h"
#include "dfs-master/records.h"

namespace slipstream::dfs::master {
namespace {

Candidate ACandidate() {
  Candidate candidate{.base = {.epoch = 3, .incarnation = 9}, .content_hash = 0xfedcba9876543210};
  PreparedShare share{.kind = PreparedShare::Kind::kNew, .inode = 77, .parent = 1, .name = "x"};
  share.blocks.push_back(
      {.block = {.id = 1ULL << 40, .raw_bytes = 5, .stored_bytes = 6, .crc32c = 7},
       .replication = 2,
       .first_holders = {1, 300}});
  share.attributes = {.owner = "o", .group = "g", .mode = 0640};
  candidate.shares = {share, share};
  return candidate;
}

TEST(CodecTest, RecordsComeBackAsTheyWere) {
  Candidate candidate = ACandidate();
  Candidate decoded;

  ASSERT_TRUE(Decode(Encode(candidate), decoded).ok());

  EXPECT_EQ(Encode(decoded), Encode(candidate));
  EXPECT_EQ(decoded.shares[1].blocks[0].first_holders[1], 300);
  EXPECT_EQ(decoded.base, (EpochPair{.epoch = 3, .incarnation = 9}));
}

TEST(CodecTest, EveryTruncationIsRefused) {
  const std::string bytes = Encode(ACandidate());
  for (size_t length = 0; length < bytes.size(); ++length) {
    Candidate decoded;
    EXPECT_EQ(Decode(bytes.substr(0, length), decoded).code(), Code::kDataLoss) << length;
  }
  Candidate decoded;
  EXPECT_EQ(Decode(bytes + "x", decoded).code(), Code::kDataLoss);
}

TEST(CodecTest, MutatedRecordsNeverCrashOrGrow) {
  std::mt19937 random(1);
  const std::string bytes = Encode(ACandidate());
  for (int round = 0; round < 20'000; ++round) {
    std::string mutated = bytes;
    for (int i = 0; i < 3; ++i)
      mutated[random() % mutated.size()] = static_cast<char>(random());
    Candidate candidate;
    (void)Decode(mutated, candidate);
    Appender appender;
    (void)Decode(mutated, appender);
    EXPECT_LE(candidate.shares.size(), bytes.size());
  }
}

TEST(CodecTest, KeysSortAsNumbersDo) {
  EXPECT_LT(BigEndian(255), BigEndian(256));
  EXPECT_LT(FileBlockKey(1, UINT64_MAX), FileBlockKey(2, 0));
  EXPECT_LT(CandidateKey("a", {.epoch = 9, .incarnation = 1}),
            CandidateKey("a", {.epoch = 10, .incarnation = 0}));
  EXPECT_EQ(ReadBigEndian(BigEndian(0x0102030405060708)), 0x0102030405060708U);
}

TEST(PathTest, OnlyPlainAbsolutePathsAreTaken) {
  EXPECT_EQ(ParsePath("/").value().size(), 0U);
  EXPECT_EQ(ParsePath("/a/b c/ü").value().size(), 3U);
  EXPECT_TRUE(ParsePath("/" + std::string(255, 'x')).ok());
  for (const std::string& bad : {std::string(""),
                                 std::string("a"),
                                 std::string("//"),
                                 std::string("/a/"),
                                 std::string("/a//b"),
                                 std::string("/."),
                                 std::string("/a/../b"),
                                 std::string("/a\nb"),
                                 std::string("/a\0b", 4),
                                 std::string("/\xc0\xaf"),
                                 std::string("/\xed\xa0\x80"),
                                 std::string("/\xff"),
                                 "/" + std::string(256, 'x')}) {
    EXPECT_EQ(ParsePath(bad).status().code(), Code::kInvalidArgument) << bad;
  }
}

TEST(IntervalSetTest, AgreesWithASetOfNumbers) {
  std::mt19937 random(7);
  IntervalSet set;
  std::vector<bool> model(200, false);
  for (int round = 0; round < 300; ++round) {
    uint64_t first = random() % 190;
    uint64_t last = first + random() % 6;
    set.Add(first, last);
    for (uint64_t i = first; i <= last; ++i)
      model[i] = true;
    size_t gaps = 0;
    for (const auto& gap : set.Gaps(0, 199))
      gaps += gap.last - gap.first + 1;
    for (uint64_t i = 0; i < 200; ++i)
      ASSERT_EQ(set.Contains(i), model[i]) << i;
    ASSERT_EQ(gaps, static_cast<size_t>(std::count(model.begin(), model.end(), false)));
  }
}

}  // namespace
}  // namespace slipstream::dfs::master
