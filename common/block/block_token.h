#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/block/block.h"

// Block tokens: what the master gives to whoever may read or write a block, and a datanode asks
// for. The master makes the keys that tokens are sealed with and tells them to the datanodes, so
// that no datanode has to ask it about a token. As in HDFS, whose tokens also carry a user and a
// time; here a token is good for as long as its key is, which needs no clocks that agree.

namespace slipstream::block {

enum class Right : uint8_t { kRead = 1, kWrite = 2 };

// A right to `count` blocks whose ids follow one another.
struct Grant {
  Right right = Right::kRead;
  BlockId first = 0;
  uint32_t count = 1;

  bool Covers(BlockId id) const { return id >= first && id - first < count; }
};

// A secret of the master and its datanodes.
struct TokenKey {
  uint32_t id = 0;     // random, so that those of one life of the master are not those of another
  std::string secret;  // kSecretBytes of them

  static constexpr size_t kSecretBytes = 32;

  static TokenKey MakeRandom();

  friend bool operator==(const TokenKey&, const TokenKey&) = default;
};

// For how long after it was made a key counts. Those who hold keys count it each on its own clock.
inline constexpr std::chrono::hours kTokenKeyLife{10};

// TokenSealer: makes the tokens of one key, and tells them from others.
//
// Layout   key id (4 bytes, big-endian), then the first 16 bytes of HMAC-SHA256 over right (1),
//          first block id (8) and count (4, all big-endian).
// Threads  thread-safe. A token takes about a microsecond.
class TokenSealer final {
 public:
  static constexpr size_t kTokenBytes = 20;

  // The secret has kSecretBytes.
  explicit TokenSealer(const TokenKey& key);
  ~TokenSealer();
  TokenSealer(const TokenSealer&) = delete;
  TokenSealer& operator=(const TokenSealer&) = delete;

  uint32_t key_id() const { return key_id_; }

  std::string Seal(const Grant& grant) const;
  // Takes as long for any token of that length.
  bool IsSealOf(const Grant& grant, std::string_view token) const;

  // The id of the key that a token says it was sealed with; 0 where it is none.
  static uint32_t KeyIdOf(std::string_view token);

 private:
  struct Mac;
  const uint32_t key_id_;
  const std::unique_ptr<Mac> mac_;
};

// Which of the keys that the master has told, oldest first and at least one, seals new tokens: the
// last but one, since not everybody may have heard of the last.
inline size_t SealingKey(size_t count) {
  return count > 1 ? count - 2 : 0;
}

}  // namespace slipstream::block
