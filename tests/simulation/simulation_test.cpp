// A cluster under faults, with a model as the oracle: the seeds that the build draws, or those that
// SLIPSTREAM_SIM_SEEDS=FROM-TO asks for; SLIPSTREAM_SIM_TRACE=1 prints the events.

#include "tests/simulation/simulation.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "common/log/log.h"

namespace slipstream::simulation {
namespace {

struct Seeds {
  uint64_t first = 1;
  uint64_t last = SIMULATION_SEEDS;
};

Seeds WantedSeeds() {
  Seeds seeds;
  const char* text = std::getenv("SLIPSTREAM_SIM_SEEDS");
  if (text == nullptr) return seeds;
  char* end = nullptr;
  seeds.first = seeds.last = std::strtoull(text, &end, 10);
  if (*end == '-') seeds.last = std::strtoull(end + 1, nullptr, 10);
  return seeds;
}

bool IsTraced() {
  return std::getenv("SLIPSTREAM_SIM_TRACE") != nullptr;
}

class SimulationTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { log::Init({.level = IsTraced() ? "info" : "off"}); }
};

std::string Replay(uint64_t seed) {
  return "replay: SLIPSTREAM_SIM_SEEDS=" + std::to_string(seed) +
         " SLIPSTREAM_SIM_TRACE=1 simulation_test --gtest_filter='*UnderFaults*'";
}

TEST_F(SimulationTest, AllIsWellWithoutFaults) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Outcome outcome = Simulate({.seed = seed, .has_faults = false, .is_traced = IsTraced()});
    EXPECT_EQ(outcome.violation, "") << "seed " << seed;
    EXPECT_GT(outcome.operations, 10U);
  }
}

TEST_F(SimulationTest, TheSameSeedEndsTheSameWay) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Outcome first = Simulate({.seed = seed});
    const Outcome second = Simulate({.seed = seed});
    EXPECT_EQ(first.trace_hash, second.trace_hash) << "seed " << seed;
    EXPECT_EQ(first.events, second.events) << "seed " << seed;
  }
}

TEST_F(SimulationTest, NothingIsLostUnderFaults) {
  const Seeds seeds = WantedSeeds();
  for (uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    const Outcome outcome = Simulate({.seed = seed, .is_traced = IsTraced()});
    EXPECT_EQ(outcome.violation, "") << "seed " << seed << " (" << outcome.faults << ")\n"
                                     << Replay(seed);
  }
}

}  // namespace
}  // namespace slipstream::simulation
