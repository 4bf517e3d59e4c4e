#include "dfs-client/md5.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace slipstream::dfs {
namespace {

static_assert(std::endian::native == std::endian::little, "byte swaps are needed here");

// The integer part of 2^32 * |sin(i + 1)|.
constexpr std::array<uint32_t, 64> kSines{
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
// How far each round's four kinds of steps rotate.
constexpr int kShifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

struct Step {
  uint32_t mixed;
  size_t word;  // of the chunk
};

Step MakeStep(size_t i, uint32_t b, uint32_t c, uint32_t d) {
  switch (i / 16) {
    case 0:
      return {.mixed = (b & c) | (~b & d), .word = i};
    case 1:
      return {.mixed = (d & b) | (~d & c), .word = (5 * i + 1) % 16};
    case 2:
      return {.mixed = b ^ c ^ d, .word = (3 * i + 5) % 16};
    default:
      return {.mixed = c ^ (b | ~d), .word = (7 * i) % 16};
  }
}

}  // namespace

void Md5::AddChunk(const char* chunk) {
  std::array<uint32_t, 16> words{};
  std::memcpy(words.data(), chunk, kChunkBytes);
  auto [a, b, c, d] = state_;
  for (size_t i = 0; i < kSines.size(); ++i) {
    const Step step = MakeStep(i, b, c, d);
    const uint32_t sum = a + step.mixed + kSines[i] + words[step.word];
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kShifts[i / 16][i % 4]);
  }
  state_ = {state_[0] + a, state_[1] + b, state_[2] + c, state_[3] + d};
}

void Md5::Append(std::string_view data) {
  const size_t used = length_bytes_ % kChunkBytes;
  length_bytes_ += data.size();
  if (used > 0) {
    const size_t taken = std::min(data.size(), kChunkBytes - used);
    std::memcpy(pending_.data() + used, data.data(), taken);
    data.remove_prefix(taken);
    if (used + taken < kChunkBytes) return;
    AddChunk(pending_.data());
  }
  for (; data.size() >= kChunkBytes; data.remove_prefix(kChunkBytes))
    AddChunk(data.data());
  std::copy(data.begin(), data.end(), pending_.begin());
}

std::string Md5::Finish() {
  const uint64_t length_bits = length_bytes_ * 8;
  // A one bit, zeros, and the length, up to the end of a chunk.
  std::string tail(1, '\x80');
  const size_t used = (length_bytes_ + 1 + sizeof(length_bits)) % kChunkBytes;
  tail.append((kChunkBytes - used) % kChunkBytes, '\0');
  tail.append(reinterpret_cast<const char*>(&length_bits), sizeof(length_bits));
  Append(tail);

  std::string digest(kDigestBytes, '\0');
  std::memcpy(digest.data(), state_.data(), kDigestBytes);
  *this = Md5();
  return digest;
}

}  // namespace slipstream::dfs
