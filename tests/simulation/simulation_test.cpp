// A cluster under faults, with a model as the oracle: the seeds that the build draws, or those that
// SLIPSTREAM_SIM_SEEDS=FROM-TO asks for; SLIPSTREAM_SIM_TRACE=1 prints the events.

#include "tests/simulation/simulation.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "common/log/log.h"
#include "tests/simulation/judge_seeds.h"

namespace slipstream::simulation {
namespace {

Seeds WantedSeeds() {
  Seeds seeds{.first = 1, .last = SIMULATION_SEEDS};
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

// A traced run is for reading: one after the other.
unsigned Processes() {
  return IsTraced() ? 1 : std::max(1U, std::thread::hardware_concurrency());
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
  const auto verdicts = JudgeSeeds(WantedSeeds(), Processes(), [](uint64_t seed) -> std::string {
    const Outcome outcome = Simulate({.seed = seed, .is_traced = IsTraced()});
    if (outcome.violation.empty()) return {};
    return outcome.violation + " (" + outcome.faults + ")";
  });
  for (const auto& [seed, verdict] : verdicts)
    ADD_FAILURE() << "seed " << seed << ": " << verdict << "\n" << Replay(seed);
}

// The first of the build's seeds that finds a planted mistake; 0: none does.
uint64_t FirstToFind(Mutation mutation) {
  constexpr uint64_t kAtOnce = 16;
  for (uint64_t first = 1; first <= SIMULATION_SEEDS; first += kAtOnce) {
    const Seeds seeds{.first = first,
                      .last = std::min<uint64_t>(first + kAtOnce - 1, SIMULATION_SEEDS)};
    const auto verdicts = JudgeSeeds(seeds, Processes(), [&](uint64_t seed) {
      return Simulate({.seed = seed, .mutation = mutation}).violation;
    });
    if (!verdicts.empty()) return verdicts.begin()->first;
  }
  return 0;
}

class PlantedMistakeTest : public SimulationTest,
                           public ::testing::WithParamInterface<MutationName> {};

// A seed of the build's finds it, and it is the mistake that it finds.
TEST_P(PlantedMistakeTest, IsFound) {
  const auto& [mutation, name] = GetParam();
  const uint64_t seed = FirstToFind(mutation);
  ASSERT_NE(seed, 0U) << name << " was not found";
  const Outcome planted = Simulate({.seed = seed, .mutation = mutation});
  const Outcome sound = Simulate({.seed = seed});
  std::printf("%.*s: seed %llu: %s\n",
              static_cast<int>(name.size()),
              name.data(),
              static_cast<unsigned long long>(seed),
              planted.violation.c_str());
  EXPECT_EQ(sound.violation, "") << "seed " << seed << " fails without " << name;
}

INSTANTIATE_TEST_SUITE_P(All,
                         PlantedMistakeTest,
                         ::testing::ValuesIn(kMutations),
                         [](const auto& planted) { return std::string(planted.param.name); });

}  // namespace
}  // namespace slipstream::simulation
