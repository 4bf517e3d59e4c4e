#include "common/block/block_token.h"

#include <gtest/gtest.h>

#include "common/text/hex.h"

namespace slipstream::block {
namespace {

constexpr Grant kGrant{.right = Right::kWrite, .first = 0x1122334455667788, .count = 5};

TokenKey KnownKey() {
  TokenKey key{.id = 0x01020304, .secret = {}};
  for (size_t i = 0; i < TokenKey::kSecretBytes; ++i)
    key.secret.push_back(static_cast<char>(i));
  return key;
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(*HexDigit(hex[i]) * 16 + *HexDigit(hex[i + 1])));
  return bytes;
}

// By Python's hmac over the layout that the header describes.
TEST(BlockTokenTest, IsTheKnownSeal) {
  EXPECT_EQ(TokenSealer(KnownKey()).Seal(kGrant),
            FromHex("01020304211031e350d6a63aaac5e7c593be3b7d"));
}

TEST(BlockTokenTest, IsForItsGrantAlone) {
  const TokenSealer sealer(KnownKey());
  const std::string token = sealer.Seal(kGrant);

  EXPECT_TRUE(sealer.IsSealOf(kGrant, token));
  for (const Grant& other : {Grant{.right = Right::kRead, .first = kGrant.first, .count = 5},
                             Grant{.right = Right::kWrite, .first = kGrant.first + 1, .count = 5},
                             Grant{.right = Right::kWrite, .first = kGrant.first, .count = 6}}) {
    EXPECT_FALSE(sealer.IsSealOf(other, token));
  }
}

TEST(BlockTokenTest, NoByteOfItMayBeAnother) {
  const TokenSealer sealer(KnownKey());
  const std::string token = sealer.Seal(kGrant);

  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(sealer.IsSealOf(kGrant, changed)) << i;
  }
  EXPECT_FALSE(sealer.IsSealOf(kGrant, ""));
  EXPECT_FALSE(sealer.IsSealOf(kGrant, token.substr(0, token.size() - 1)));
  EXPECT_FALSE(sealer.IsSealOf(kGrant, token + '\0'));
}

TEST(BlockTokenTest, NamesItsKey) {
  EXPECT_EQ(TokenSealer::KeyIdOf(TokenSealer(KnownKey()).Seal(kGrant)), 0x01020304U);
  EXPECT_EQ(TokenSealer::KeyIdOf("short"), 0U);
}

TEST(BlockTokenTest, RandomKeysAreAllDifferent) {
  const TokenKey one = TokenKey::MakeRandom();
  const TokenKey other = TokenKey::MakeRandom();

  EXPECT_NE(one.secret, other.secret);
  EXPECT_EQ(one.secret.size(), TokenKey::kSecretBytes);
  EXPECT_NE(one.id, 0U);
  EXPECT_FALSE(TokenSealer(other).IsSealOf(kGrant, TokenSealer(one).Seal(kGrant)));
}

TEST(BlockTokenTest, AGrantCoversItsIdsAlone) {
  constexpr Grant grant{.first = 10, .count = 3};
  EXPECT_FALSE(grant.Covers(9));
  EXPECT_TRUE(grant.Covers(10));
  EXPECT_TRUE(grant.Covers(12));
  EXPECT_FALSE(grant.Covers(13));
  EXPECT_FALSE(Grant{.count = 0}.Covers(0));
}

}  // namespace
}  // namespace slipstream::block
