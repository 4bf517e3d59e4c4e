#include "gateway/webhdfs/operations.h"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

namespace slipstream::gateway::webhdfs {
namespace {

struct Offer {
  std::string_view verb;
  std::string_view name;
  Operation operation;  // null: HDFS has it, we do not
};

constexpr std::array kOffers = {
    Offer{"GET", "OPEN", Open},
    Offer{"GET", "GETFILESTATUS", GetFileStatus},
    Offer{"GET", "LISTSTATUS", ListStatus},
    Offer{"GET", "LISTSTATUS_BATCH", ListStatusBatch},
    Offer{"GET", "GETCONTENTSUMMARY", GetContentSummary},
    Offer{"GET", "GETQUOTAUSAGE", GetQuotaUsage},
    Offer{"GET", "GETFILECHECKSUM", GetFileChecksum},
    Offer{"GET", "GETFILEBLOCKLOCATIONS", GetFileBlockLocations},
    Offer{"GET", "GET_BLOCK_LOCATIONS", GetBlockLocations},
    Offer{"GET", "GETHOMEDIRECTORY", GetHomeDirectory},
    Offer{"GET", "GETTRASHROOT", GetTrashRoot},
    Offer{"GET", "GETSERVERDEFAULTS", GetServerDefaults},
    Offer{"GET", "GETSTATUS", GetStatus},
    Offer{"GET", "CHECKACCESS", CheckAccess},
    Offer{"GET", "GETDELEGATIONTOKEN", GetDelegationToken},
    Offer{"GET", "GETDELEGATIONTOKENS", nullptr},
    Offer{"GET", "GETACLSTATUS", nullptr},
    Offer{"GET", "GETXATTRS", nullptr},
    Offer{"GET", "LISTXATTRS", nullptr},
    Offer{"GET", "GETALLSTORAGEPOLICY", nullptr},
    Offer{"GET", "GETSTORAGEPOLICY", nullptr},
    Offer{"GET", "GETECPOLICY", nullptr},
    Offer{"GET", "GETECPOLICIES", nullptr},
    Offer{"GET", "GETECCODECS", nullptr},
    Offer{"GET", "GETSNAPSHOTDIFF", nullptr},
    Offer{"GET", "GETSNAPSHOTDIFFLISTING", nullptr},
    Offer{"GET", "GETSNAPSHOTTABLEDIRECTORYLIST", nullptr},
    Offer{"GET", "GETSNAPSHOTLIST", nullptr},
    Offer{"GET", "GETLINKTARGET", nullptr},
    Offer{"GET", "GETFILELINKSTATUS", nullptr},
    Offer{"GET", "GETTRASHROOTS", nullptr},
    Offer{"PUT", "CREATE", Create},
    Offer{"PUT", "MKDIRS", MakeDirectories},
    Offer{"PUT", "RENAME", Rename},
    Offer{"PUT", "SETREPLICATION", SetReplication},
    Offer{"PUT", "SETOWNER", SetOwner},
    Offer{"PUT", "SETPERMISSION", SetPermission},
    Offer{"PUT", "SETTIMES", SetTimes},
    Offer{"PUT", "SETQUOTA", SetQuota},
    Offer{"PUT", "SETQUOTABYSTORAGETYPE", nullptr},
    Offer{"PUT", "CREATESYMLINK", nullptr},
    Offer{"PUT", "CREATESNAPSHOT", nullptr},
    Offer{"PUT", "RENAMESNAPSHOT", nullptr},
    Offer{"PUT", "ALLOWSNAPSHOT", nullptr},
    Offer{"PUT", "DISALLOWSNAPSHOT", nullptr},
    Offer{"PUT", "SETXATTR", nullptr},
    Offer{"PUT", "REMOVEXATTR", nullptr},
    Offer{"PUT", "SETACL", nullptr},
    Offer{"PUT", "MODIFYACLENTRIES", nullptr},
    Offer{"PUT", "REMOVEACLENTRIES", nullptr},
    Offer{"PUT", "REMOVEDEFAULTACL", nullptr},
    Offer{"PUT", "REMOVEACL", nullptr},
    Offer{"PUT", "SETSTORAGEPOLICY", nullptr},
    Offer{"PUT", "SATISFYSTORAGEPOLICY", nullptr},
    Offer{"PUT", "ENABLEECPOLICY", nullptr},
    Offer{"PUT", "DISABLEECPOLICY", nullptr},
    Offer{"PUT", "SETECPOLICY", nullptr},
    Offer{"PUT", "RENEWDELEGATIONTOKEN", nullptr},
    Offer{"PUT", "CANCELDELEGATIONTOKEN", nullptr},
    Offer{"POST", "APPEND", Append},
    Offer{"POST", "TRUNCATE", Truncate},
    Offer{"POST", "CONCAT", Concat},
    Offer{"POST", "UNSETSTORAGEPOLICY", nullptr},
    Offer{"POST", "UNSETECPOLICY", nullptr},
    Offer{"DELETE", "DELETE", Delete},
    Offer{"DELETE", "DELETESNAPSHOT", nullptr},
};

constexpr size_t kShownBytesMax = 100;

std::string ToUpper(std::string_view name) {
  std::string upper(name.substr(0, kShownBytesMax));
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return upper;
}

const Offer* FindOffer(std::string_view verb, std::string_view upper) {
  const auto* offer = std::find_if(kOffers.begin(), kOffers.end(), [&](const Offer& one) {
    return one.verb == verb && one.name == upper;
  });
  return offer == kOffers.end() ? nullptr : offer;
}

}  // namespace

std::string_view OperationName(std::string_view verb, std::string_view name) {
  const Offer* offer = FindOffer(verb, ToUpper(name));
  return offer == nullptr ? "unknown" : offer->name;
}

std::variant<Operation, RemoteException> FindOperation(std::string_view verb,
                                                       std::string_view name) {
  const std::string upper = ToUpper(name);
  if (const Offer* offer = FindOffer(verb, upper); offer != nullptr) {
    if (offer->operation != nullptr) return offer->operation;
    return Unsupported(upper + " is not supported by Slipstream");
  }
  return IllegalArgument(
      fmt::format("Invalid value for webhdfs parameter \"op\": {} is not a valid {} operation.",
                  upper.empty() ? "null" : upper,
                  verb));
}

}  // namespace slipstream::gateway::webhdfs
