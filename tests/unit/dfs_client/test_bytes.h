#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

namespace slipstream::dfs {

// Bytes that do not compress, the same for the same seed.
inline std::string RandomBytes(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(count, '\0');
  for (size_t i = 0; i < count; i += sizeof(uint64_t)) {
    const uint64_t word = random();
    for (size_t j = 0; j < sizeof(word) && i + j < count; ++j)
      bytes[i + j] = static_cast<char>(word >> (8 * j));
  }
  return bytes;
}

}  // namespace slipstream::dfs
