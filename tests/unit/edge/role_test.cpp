#include "common/access/role.h"

#include <gtest/gtest.h>

namespace slipstream::access {
namespace {

TEST(RoleTest, NamesGoThereAndBackAndEachRoleIncludesThoseBefore) {
  for (const Role role : {Role::kRead, Role::kWrite, Role::kAdmin, Role::kNode})
    EXPECT_EQ(ParseRole(RoleName(role)), role);
  EXPECT_EQ(ParseRole("root"), std::nullopt);
  EXPECT_LT(Role::kRead, Role::kWrite);
  EXPECT_LT(Role::kWrite, Role::kAdmin);
  EXPECT_LT(Role::kAdmin, Role::kNode);
}

TEST(RoleTest, TheUnitOfASubjectIsTheRole) {
  EXPECT_EQ(RoleOfSubject("CN=lab1,OU=node,O=Slipstream"), Role::kNode);
  EXPECT_EQ(RoleOfSubject("OU=read"), Role::kRead);
}

TEST(RoleTest, ASubjectThatNamesNoRoleOrSeveralHasNone) {
  EXPECT_EQ(RoleOfSubject(""), std::nullopt);
  EXPECT_EQ(RoleOfSubject("CN=lab1,O=Slipstream"), std::nullopt);
  EXPECT_EQ(RoleOfSubject("CN=lab1,OU=root"), std::nullopt);
  EXPECT_EQ(RoleOfSubject("CN=lab1,OU=node,OU=read"), std::nullopt);
  EXPECT_EQ(RoleOfSubject("CN=lab1,OU=node+OU=read"), std::nullopt);
}

TEST(RoleTest, ANameThatLooksLikeAUnitIsNone) {
  EXPECT_EQ(RoleOfSubject("CN=ann\\,OU=node,OU=read"), Role::kRead);
  EXPECT_EQ(RoleOfSubject("CN=OU=node"), std::nullopt);
  EXPECT_EQ(RoleOfSubject("CN=ann\\"), std::nullopt);
}

}  // namespace
}  // namespace slipstream::access
