#pragma once

#include <cmath>
#include <cstdint>
#include <random>

namespace slipstream::producer::synthetic {

// Random: seeded draws. The standard fixes what its engines give but not what its distributions
// make of it, so these are our own: the same seed gives the same data with every library.
class Random final {
 public:
  Random(uint64_t seed, uint64_t stream)
      : engine_(Mix(seed + 0x9e3779b97f4a7c15U * (stream + 1))) {}

  // In [0, 1).
  double Unit() { return static_cast<double>(engine_() >> 11U) * 0x1.0p-53; }
  // In [0, bound); `bound` is above 0.
  int Below(int bound) { return static_cast<int>(Unit() * bound); }
  bool Chance(double probability) { return Unit() < probability; }
  double Exponential(double mean) { return -mean * std::log1p(-Unit()); }
  // Bell-shaped around 0, never beyond three deviations and a half.
  double Bell(double deviation) {
    return (Unit() + Unit() + Unit() + Unit() - 2.0) * 1.7320508 * deviation;
  }

 private:
  // Spreads neighbouring seeds apart (the finalizer of splitmix64).
  static uint64_t Mix(uint64_t x) {
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
  }

  std::mt19937_64 engine_;
};

}  // namespace slipstream::producer::synthetic
