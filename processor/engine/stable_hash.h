#pragma once

#include <cstdint>
#include <string_view>

namespace slipstream::sql {

// Hashes that are the same on every machine and in every version.

// FNV-1a, 64 bits.
inline uint64_t Fnv1a(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325;
  for (char c : text) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 0x100000001B3;
  }
  return hash;
}

// The same with its bits mixed, so that the low ones are as good as the others: where rows go.
inline uint64_t StableHash(std::string_view text) {
  uint64_t hash = Fnv1a(text);
  hash ^= hash >> 33;
  hash *= 0xFF51AFD7ED558CCD;
  return hash ^ (hash >> 33);
}

}  // namespace slipstream::sql
