#include "common/failpoint/failpoint.h"

#include <signal.h>

#include <gtest/gtest.h>

namespace slipstream {
namespace {

class FailpointTest : public testing::Test {
 protected:
  void TearDown() override { EXPECT_TRUE(failpoint::Configure("").ok()); }
};

Status Guarded() {
  SLIPSTREAM_FAILPOINT("test.step");
  return {};
}

TEST_F(FailpointTest, UnsetPointsDoNothing) {
  EXPECT_FALSE(failpoint::AnyActive());
  EXPECT_TRUE(Guarded().ok());
}

TEST_F(FailpointTest, ErrorIsReturnedAtEveryHit) {
  ASSERT_TRUE(failpoint::Configure("test.step=error:data_loss").ok());

  EXPECT_EQ(Guarded().code(), Code::kDataLoss);
  EXPECT_EQ(Guarded().code(), Code::kDataLoss);
}

TEST_F(FailpointTest, ActsAtTheGivenHitOnly) {
  ASSERT_TRUE(failpoint::Configure("other=stop;test.step=error:aborted@2").ok());

  EXPECT_TRUE(Guarded().ok());
  EXPECT_EQ(Guarded().code(), Code::kAborted);
  EXPECT_TRUE(Guarded().ok());
}

TEST_F(FailpointTest, KillEndsTheProcess) {
  auto die = [] {
    (void)failpoint::Configure("test.step=kill");
    (void)Guarded();
  };

  EXPECT_EXIT(die(), testing::KilledBySignal(SIGKILL), "failpoint test.step hit");
}

TEST_F(FailpointTest, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(failpoint::Configure("test.step").code(), Code::kInvalidArgument);
  EXPECT_EQ(failpoint::Configure("test.step=explode").code(), Code::kInvalidArgument);
  EXPECT_EQ(failpoint::Configure("test.step=error:nonsense").code(), Code::kInvalidArgument);
  EXPECT_EQ(failpoint::Configure("test.step=kill@x").code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace slipstream
