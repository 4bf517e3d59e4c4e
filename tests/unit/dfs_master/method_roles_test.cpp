// Over the services' descriptors, so that a new method is not forgotten.

#include "dfs-master/method_roles.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "proto/dfs_master.pb.h"

namespace slipstream::dfs::master {
namespace {

using access::Role;

const std::map<std::string, Role> kExpected = {
    {"AbortAppender", Role::kWrite},
    {"AcquireAppender", Role::kWrite},
    {"AllocateBlocks", Role::kWrite},
    {"Backup", Role::kAdmin},
    {"Balance", Role::kAdmin},
    {"CheckAccess", Role::kRead},
    {"CheckFiles", Role::kRead},
    {"Commit", Role::kWrite},
    {"Concat", Role::kWrite},
    {"Delete", Role::kWrite},
    {"FinishMerge", Role::kNode},
    {"GetClusterState", Role::kRead},
    {"GetDefaults", Role::kRead},
    {"Heartbeat", Role::kNode},
    {"List", Role::kRead},
    {"ListAppenders", Role::kRead},
    {"LocateBlocks", Role::kRead},
    {"MakeDirectory", Role::kWrite},
    {"Prepare", Role::kWrite},
    {"Register", Role::kNode},
    {"Rename", Role::kWrite},
    {"RenewLease", Role::kWrite},
    {"ReportBadReplica", Role::kRead},
    {"ReportBlocks", Role::kNode},
    {"Restore", Role::kAdmin},
    {"SetAttributes", Role::kWrite},
    {"SetNodeService", Role::kAdmin},
    {"SetQuota", Role::kAdmin},
    {"SetReplication", Role::kWrite},
    {"SetSafeMode", Role::kAdmin},
    {"Stat", Role::kRead},
    {"StatBatch", Role::kRead},
    {"Truncate", Role::kWrite},
};

TEST(MethodRolesTest, EveryMethodOfTheMasterNeedsTheRoleExpectedOfIt) {
  const google::protobuf::FileDescriptor* file = v1::StatRequest::descriptor()->file();
  int count = 0;
  for (int i = 0; i < file->service_count(); ++i) {
    for (int j = 0; j < file->service(i)->method_count(); ++j) {
      const google::protobuf::MethodDescriptor* method = file->service(i)->method(j);
      const auto expected = kExpected.find(method->name());
      ASSERT_NE(expected, kExpected.end()) << method->name() << ": which role does it need?";
      EXPECT_EQ(RoleNeeded("/" + method->service()->full_name() + "/" + method->name()),
                expected->second)
          << method->full_name();
      ++count;
    }
  }
  EXPECT_EQ(count, static_cast<int>(kExpected.size()));
}

TEST(MethodRolesTest, WhatIsNotKnownNeedsAdminAndHealthNeedsRead) {
  EXPECT_EQ(RoleNeeded("/other.Service/Stat"), Role::kAdmin);
  EXPECT_EQ(RoleNeeded(""), Role::kAdmin);
  EXPECT_EQ(RoleNeeded("/grpc.health.v1.Health/Check"), Role::kRead);
}

}  // namespace
}  // namespace slipstream::dfs::master
