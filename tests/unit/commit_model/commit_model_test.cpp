#include "tests/unit/commit_model/commit_model.h"

#include <cstdio>
#include <string>

#include <gtest/gtest.h>

namespace slipstream::commit_model {
namespace {

std::string Describe(const Outcome& outcome) {
  std::string text = outcome.violation + " (" + std::to_string(outcome.states) + " states)";
  for (const std::string& line : outcome.trace)
    text += "\n  " + line;
  return text;
}

// Kills, stolen partitions and timed-out transactions in the combinations that stay small enough
// to visit whole.
class BoundsTest : public testing::TestWithParam<Bounds> {};

TEST_P(BoundsTest, NoInterleavingLosesOrRepeatsAnything) {
  Outcome outcome = Explore({}, GetParam());

  EXPECT_EQ(outcome.violation, "") << Describe(outcome);
  // The search was not cut short by a model in which hardly anything can happen.
  EXPECT_GT(outcome.states, 10'000U);
  RecordProperty("states", static_cast<int>(outcome.states));
}

INSTANTIATE_TEST_SUITE_P(
    CommitModel,
    BoundsTest,
    testing::Values(Bounds{.records = 2, .crashes = 1, .steals = 1, .timeouts = 0},
                    Bounds{.records = 2, .crashes = 0, .steals = 1, .timeouts = 1},
                    Bounds{.records = 2, .crashes = 0, .steals = 2, .timeouts = 0},
                    Bounds{.records = 1, .crashes = 1, .steals = 1, .timeouts = 1}),
    [](const testing::TestParamInfo<Bounds>& tested) {
      return "Records" + std::to_string(tested.param.records) + "Crashes" +
             std::to_string(tested.param.crashes) + "Steals" + std::to_string(tested.param.steals) +
             "Timeouts" + std::to_string(tested.param.timeouts);
    });

struct TakenOut {
  const char* name;
  bool Rules::*rule;
};

class BrokenRuleTest : public testing::TestWithParam<TakenOut> {};

TEST_P(BrokenRuleTest, IsFoundOut) {
  Rules rules;
  rules.*GetParam().rule = false;

  Outcome outcome = Explore(rules, {});

  EXPECT_NE(outcome.violation, "") << "no broken state among " << outcome.states;
  RecordProperty("found", Describe(outcome));
  std::printf("%s\n", Describe(outcome).c_str());
}

INSTANTIATE_TEST_SUITE_P(
    EachRule,
    BrokenRuleTest,
    testing::Values(TakenOut{"RestoresToTheMark", &Rules::restores_to_the_mark},
                    TakenOut{"AcquireDiscardsNothing", &Rules::acquire_discards_nothing},
                    TakenOut{"OffsetsInEveryTransaction", &Rules::offsets_in_every_transaction},
                    TakenOut{"MetadataFromAssignment", &Rules::metadata_from_assignment},
                    TakenOut{"WaitsForStableOffsets", &Rules::waits_for_stable_offsets},
                    TakenOut{"CommitNamesTheIncarnation", &Rules::commit_names_the_incarnation}),
    [](const testing::TestParamInfo<TakenOut>& tested) { return tested.param.name; });

}  // namespace
}  // namespace slipstream::commit_model
