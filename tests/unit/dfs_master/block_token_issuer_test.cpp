#include "dfs-master/block_token_issuer.h"

#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"

namespace slipstream::dfs::master {
namespace {

using block::Grant;
using block::TokenSealer;

class BlockTokenIssuerTest : public testing::Test {
 protected:
  static constexpr Grant kGrant{.first = 7};

  uint32_t IssuingKey() { return TokenSealer::KeyIdOf(issuer_.Issue(kGrant)); }

  ManualClock clock_;
  BlockTokenIssuer issuer_{clock_};
};

TEST_F(BlockTokenIssuerTest, SealsWithAKeyThatDatanodesAreTold) {
  ASSERT_EQ(issuer_.keys().size(), 1U);
  EXPECT_TRUE(TokenSealer(issuer_.keys()[0]).IsSealOf(kGrant, issuer_.Issue(kGrant)));
  EXPECT_EQ(issuer_.newest_key_id(), issuer_.keys()[0].id);
}

TEST_F(BlockTokenIssuerTest, ANewKeySealsOnlyOnceEverybodyHasHeardOfIt) {
  const uint32_t first = IssuingKey();
  clock_.Advance(BlockTokenIssuer::kRotation);

  EXPECT_NE(issuer_.newest_key_id(), first);
  EXPECT_EQ(IssuingKey(), first);

  const uint32_t second = issuer_.newest_key_id();
  clock_.Advance(BlockTokenIssuer::kRotation);
  EXPECT_EQ(IssuingKey(), second);
}

TEST_F(BlockTokenIssuerTest, KeysAreToldForAsLongAsTheyLive) {
  const block::TokenKey first = issuer_.keys()[0];
  for (auto age = BlockTokenIssuer::kRotation; age < block::kTokenKeyLife;
       age += BlockTokenIssuer::kRotation) {
    clock_.Advance(BlockTokenIssuer::kRotation);
    ASSERT_EQ(issuer_.keys()[0], first);
  }
  clock_.Advance(BlockTokenIssuer::kRotation);
  EXPECT_NE(issuer_.keys()[0], first);
  EXPECT_EQ(issuer_.keys().size(), 10U);
}

}  // namespace
}  // namespace slipstream::dfs::master
