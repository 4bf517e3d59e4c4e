#pragma once

#include <cstdint>
#include <string>

#include "tests/simulation/mutation.h"

namespace slipstream::simulation {

struct Outcome {
  std::string violation;  // what went wrong, and when; empty: nothing
  std::string faults;     // which kinds there were
  uint64_t trace_hash = 0;
  uint64_t events = 0;
  uint64_t operations = 0;  // of users, that ended as they should
};

struct RunOptions {
  uint64_t seed = 1;
  Mutation mutation = Mutation::kNone;
  bool has_faults = true;
  bool is_traced = false;  // prints the events
};

// One simulation: a cluster, users and faults drawn from the seed; then nothing is broken any more,
// and after a while everything must be as it should be. The same options have the same outcome, to
// the last event.
Outcome Simulate(const RunOptions& options);

}  // namespace slipstream::simulation
