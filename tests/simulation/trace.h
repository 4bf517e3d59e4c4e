#pragma once

#include <cstdint>
#include <string_view>

namespace slipstream::simulation {

// Trace: what happened in a simulation, in order. All of it goes into a hash, so that two runs can
// be told apart; it is printed only where somebody asked.
class Trace final {
 public:
  explicit Trace(bool is_printed) : is_printed_(is_printed) {}

  // `at_us`: simulated time. `what` names the event and all that tells it from others.
  void Add(int64_t at_us, std::string_view what);

  uint64_t hash() const { return hash_; }
  uint64_t count() const { return count_; }

 private:
  const bool is_printed_;
  uint64_t hash_ = 0xcbf29ce484222325;  // FNV-1a
  uint64_t count_ = 0;
};

}  // namespace slipstream::simulation
