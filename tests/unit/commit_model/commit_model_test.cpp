#include "tests/unit/commit_model/commit_model.h"

#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/commit_model/stage_model.h"

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

// ---- Two stages ----

class StageBoundsTest : public testing::TestWithParam<StageBounds> {};

TEST_P(StageBoundsTest, NoInterleavingLosesOrRepeatsARow) {
  Outcome outcome = ExploreStages({}, GetParam());

  EXPECT_EQ(outcome.violation, "") << Describe(outcome);
  EXPECT_GT(outcome.states, 10'000U);
  RecordProperty("states", static_cast<int>(outcome.states));
}

INSTANTIATE_TEST_SUITE_P(
    Stages,
    StageBoundsTest,
    testing::Values(StageBounds{.rows = 1, .sender_failures = 2, .receiver_crashes = 2},
                    StageBounds{.rows = 2, .sender_failures = 0, .receiver_crashes = 1}),
    [](const testing::TestParamInfo<StageBounds>& tested) {
      return "Rows" + std::to_string(tested.param.rows) + "SenderFailures" +
             std::to_string(tested.param.sender_failures) + "ReceiverCrashes" +
             std::to_string(tested.param.receiver_crashes);
    });

struct StageRuleTakenOut {
  const char* name;
  bool StageRules::*rule;
};

class BrokenStageRuleTest : public testing::TestWithParam<StageRuleTakenOut> {};

TEST_P(BrokenStageRuleTest, IsFoundOut) {
  StageRules rules;
  rules.*GetParam().rule = false;

  Outcome outcome = ExploreStages(rules, {});

  EXPECT_NE(outcome.violation, "") << "no broken state among " << outcome.states;
  RecordProperty("found", Describe(outcome));
  std::printf("%s\n", Describe(outcome).c_str());
}

INSTANTIATE_TEST_SUITE_P(
    EachStageRule,
    BrokenStageRuleTest,
    testing::Values(StageRuleTakenOut{"ReadsCommitted", &StageRules::reads_committed},
                    StageRuleTakenOut{"OffsetWithState", &StageRules::offset_with_state},
                    StageRuleTakenOut{"DeletesBelowCommitted",
                                      &StageRules::deletes_below_committed},
                    StageRuleTakenOut{"MarksBehindRows", &StageRules::marks_behind_rows},
                    StageRuleTakenOut{"WaitsForEverySender", &StageRules::waits_for_every_sender},
                    StageRuleTakenOut{"GivesWhatItHolds", &StageRules::gives_what_it_holds}),
    [](const testing::TestParamInfo<StageRuleTakenOut>& tested) { return tested.param.name; });

}  // namespace
}  // namespace slipstream::commit_model
