#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>

namespace slipstream::block {

// `bytes`, of which there is one at least, after one to four changes: a byte set, the end cut off,
// or a run of equal bytes put in.
inline std::string Mutate(std::string bytes, std::mt19937& random) {
  for (uint32_t mutations = 1 + random() % 4; mutations > 0; --mutations) {
    switch (random() % 3) {
      case 0:
        bytes[random() % bytes.size()] = static_cast<char>(random());
        break;
      case 1:
        bytes.resize(bytes.size() - std::min<size_t>(bytes.size() - 1, random() % 16));
        break;
      default:
        bytes.insert(random() % bytes.size(), 1 + random() % 24, static_cast<char>(random()));
    }
  }
  return bytes;
}

}  // namespace slipstream::block
