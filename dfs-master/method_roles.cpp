#include "dfs-master/method_roles.h"

#include <algorithm>
#include <array>

namespace slipstream::dfs::master {
namespace {

using access::Role;

constexpr std::string_view kMaster = "/slipstream.dfs.v1.DfsMaster/";
constexpr std::string_view kAdmin = "/slipstream.dfs.v1.DfsAdmin/";
constexpr std::string_view kRegistry = "/slipstream.dfs.v1.DfsNodeRegistry/";
constexpr std::string_view kGrpc = "/grpc.";

// Of DfsMaster; what is not here nor below changes names or data.
constexpr std::array<std::string_view, 9> kReading = {"Stat",
                                                      "CheckAccess",
                                                      "List",
                                                      "StatBatch",
                                                      "LocateBlocks",
                                                      "ReportBadReplica",
                                                      "ListAppenders",
                                                      "GetClusterState",
                                                      "GetDefaults"};
// What HDFS, too, leaves to its superuser.
constexpr std::string_view kGoverning = "SetQuota";

}  // namespace

Role RoleNeeded(std::string_view method) {
  if (method.starts_with(kGrpc)) return Role::kRead;
  if (method.starts_with(kRegistry)) return Role::kNode;
  if (method.starts_with(kAdmin)) {
    return method.substr(kAdmin.size()) == "CheckFiles" ? Role::kRead : Role::kAdmin;
  }
  if (!method.starts_with(kMaster)) return Role::kAdmin;
  const std::string_view name = method.substr(kMaster.size());
  if (std::find(kReading.begin(), kReading.end(), name) != kReading.end()) return Role::kRead;
  return name == kGoverning ? Role::kAdmin : Role::kWrite;
}

}  // namespace slipstream::dfs::master
