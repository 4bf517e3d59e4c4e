#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace slipstream::simulation {

// Random: the one source of chance in a simulation. The same seed gives the same numbers on every
// machine, which the standard library's distributions do not promise. (SplitMix64.)
// Threads: not thread-safe.
class Random final {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // Of [0, end); 0 if that is empty.
  uint64_t Below(uint64_t end) { return end == 0 ? 0 : Next() % end; }
  // Of [low, high], both included.
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low + 1)));
  }
  bool PerMille(uint64_t chance) { return Below(1000) < chance; }
  template <class T>
  const T& Pick(const std::vector<T>& choices) {
    return choices[Below(choices.size())];
  }
  // A source of its own, so that what draws from it does not move what draws from this one.
  Random Fork() { return Random(Next()); }

 private:
  uint64_t state_;
};

}  // namespace slipstream::simulation
