#pragma once

#include <cmath>
#include <cstdint>

namespace slipstream::producer::synthetic {

// Random: seeded draws, cheap to make (splitmix64). The standard does not fix what its
// distributions make of an engine, so these are our own: the same seed gives the same data with
// every library. Streams of one seed are independent of one another.
class Random final {
 public:
  Random(uint64_t seed, uint64_t stream) : state_(Mix(Mix(seed) + stream)) {}

  // In [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11U) * 0x1.0p-53; }
  // In [0, bound); `bound` is above 0.
  int Below(int bound) { return static_cast<int>(Unit() * bound); }
  bool Chance(double probability) { return Unit() < probability; }
  double Exponential(double mean) { return -mean * std::log1p(-Unit()); }
  // Bell-shaped around 0, never beyond three deviations and a half.
  double Bell(double deviation) {
    double sum = 0;
    for (int i = 0; i < 4; ++i)
      sum += Unit();
    return (sum - 2.0) * 1.7320508 * deviation;
  }

 private:
  static uint64_t Mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
  }
  uint64_t Next() {
    uint64_t value = Mix(state_);
    state_ += 0x9e3779b97f4a7c15U;
    return value;
  }

  uint64_t state_;
};

}  // namespace slipstream::producer::synthetic
