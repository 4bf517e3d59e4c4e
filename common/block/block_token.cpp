#include "common/block/block_token.h"

#include <algorithm>
#include <array>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "common/check/check.h"

namespace slipstream::block {
namespace {

constexpr size_t kKeyIdBytes = 4;
constexpr size_t kMacBytes = 16;
constexpr size_t kDigestBytes = 32;
constexpr size_t kSealedBytes = 13;
static_assert(kKeyIdBytes + kMacBytes == TokenSealer::kTokenBytes);

struct FreeMac {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

template <class Byte>
void StoreBigEndian(uint64_t value, size_t bytes, Byte* out) {
  for (size_t i = 0; i < bytes; ++i)
    out[i] = static_cast<Byte>(value >> (8 * (bytes - 1 - i)));
}

}  // namespace

struct TokenSealer::Mac {
  // Keyed, and only ever copied from: what follows the key is each token's own.
  std::unique_ptr<EVP_MAC_CTX, FreeMac> keyed;
};

TokenKey TokenKey::MakeRandom() {
  std::array<unsigned char, kKeyIdBytes + kSecretBytes> random{};
  SLIPSTREAM_CHECK(RAND_bytes(random.data(), static_cast<int>(random.size())) == 1,
                   "no random bytes");
  TokenKey key{.id = 0, .secret = std::string(random.begin() + kKeyIdBytes, random.end())};
  for (size_t i = 0; i < kKeyIdBytes; ++i)
    key.id = key.id << 8 | random.at(i);
  key.id = std::max<uint32_t>(key.id, 1);
  return key;
}

TokenSealer::TokenSealer(const TokenKey& key) : key_id_(key.id), mac_(std::make_unique<Mac>()) {
  const std::unique_ptr<EVP_MAC, FreeMac> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  mac_->keyed.reset(EVP_MAC_CTX_new(hmac.get()));
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  const int is_keyed = EVP_MAC_init(mac_->keyed.get(),
                                    reinterpret_cast<const unsigned char*>(key.secret.data()),
                                    key.secret.size(),
                                    parameters.data());
  SLIPSTREAM_CHECK(is_keyed == 1, "OpenSSL has no HMAC");
}

TokenSealer::~TokenSealer() = default;

std::string TokenSealer::Seal(const Grant& grant) const {
  std::array<unsigned char, kSealedBytes> sealed{};
  sealed.front() = static_cast<unsigned char>(grant.right);
  StoreBigEndian(grant.first, 8, sealed.data() + 1);
  StoreBigEndian(grant.count, 4, sealed.data() + 9);
  const std::unique_ptr<EVP_MAC_CTX, FreeMac> mac(EVP_MAC_CTX_dup(mac_->keyed.get()));
  std::array<unsigned char, kDigestBytes> digest{};
  size_t digest_bytes = 0;
  const bool is_made = mac != nullptr &&
                       EVP_MAC_update(mac.get(), sealed.data(), sealed.size()) == 1 &&
                       EVP_MAC_final(mac.get(), digest.data(), &digest_bytes, digest.size()) == 1;
  SLIPSTREAM_CHECK(is_made && digest_bytes == digest.size(), "OpenSSL makes no HMAC");
  std::string token(kTokenBytes, '\0');
  StoreBigEndian(key_id_, kKeyIdBytes, token.data());
  std::copy_n(digest.begin(), kMacBytes, token.begin() + kKeyIdBytes);
  return token;
}

bool TokenSealer::IsSealOf(const Grant& grant, std::string_view token) const {
  if (token.size() != kTokenBytes) return false;
  return CRYPTO_memcmp(Seal(grant).data(), token.data(), kTokenBytes) == 0;
}

uint32_t TokenSealer::KeyIdOf(std::string_view token) {
  if (token.size() != kTokenBytes) return 0;
  uint32_t id = 0;
  for (size_t i = 0; i < kKeyIdBytes; ++i)
    id = id << 8 | static_cast<unsigned char>(token[i]);
  return id;
}

}  // namespace slipstream::block
