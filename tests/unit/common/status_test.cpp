#include "common/status/status.h"

#include <cerrno>
#include <memory>

#include <gtest/gtest.h>

namespace slipstream {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) return InvalidArgument("odd value=" + std::to_string(value));
  return value / 2;
}

Result<int> Quarter(int value) {
  ASSIGN_OR_RETURN(int half, Half(value));
  ASSIGN_OR_RETURN(int quarter, Half(half));
  return quarter;
}

Status CheckQuarter(int value) {
  RETURN_IF_ERROR(Quarter(value).status());
  return {};
}

TEST(StatusTest, DefaultIsOk) {
  Status status;

  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.ToString(), "ok");
}

TEST(StatusTest, ContextStandsBeforeTheMessageAndKeepsTheCode) {
  Status status = NotFound("no such file").WithContext("open /a").WithContext("read block id=7");

  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_EQ(status.message(), "read block id=7: open /a: no such file");
}

TEST(StatusTest, ContextLeavesOkAlone) {
  EXPECT_TRUE(Status().WithContext("read").ok());
}

TEST(StatusTest, ErrnoMapsToTheCodeCallersBranchOn) {
  EXPECT_EQ(ErrnoStatus(ENOENT, "open").code(), Code::kNotFound);
  EXPECT_EQ(ErrnoStatus(ENOSPC, "write").code(), Code::kResourceExhausted);
  EXPECT_EQ(ErrnoStatus(EIO, "read").code(), Code::kUnavailable);
  EXPECT_TRUE(ErrnoStatus(ENOENT, "open /a").message().starts_with("open /a: "));
}

TEST(ResultTest, MacrosPassTheFirstErrorOn) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_EQ(Quarter(6).error().code(), Code::kInvalidArgument);
  EXPECT_TRUE(CheckQuarter(8).ok());
  EXPECT_EQ(CheckQuarter(7).message(), "odd value=7");
}

TEST(ResultTest, HoldsMoveOnlyValues) {
  auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(5); };

  EXPECT_EQ(*make().value(), 5);
}

}  // namespace
}  // namespace slipstream
