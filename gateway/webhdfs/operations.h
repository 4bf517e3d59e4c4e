#pragma once

#include <string_view>
#include <variant>

#include "gateway/webhdfs/call.h"

// What WebHDFS offers, each operation a function from a call to its outcome. They may block as long
// as a call to the master takes; what takes longer they defer.

namespace slipstream::gateway::webhdfs {

using Operation = Outcome (*)(const Call& call);

// The operation of that name (in any case) for that verb of HTTP. An exception: HDFS has it and we
// do not, or nobody has it, in the words that Hadoop's clients look for.
std::variant<Operation, RemoteException> FindOperation(std::string_view verb,
                                                       std::string_view name);

// The name of that operation in capitals; "unknown" where nobody has it.
std::string_view OperationName(std::string_view verb, std::string_view name);

// reading.cpp
Outcome Open(const Call& call);
Outcome GetFileStatus(const Call& call);
Outcome ListStatus(const Call& call);
Outcome ListStatusBatch(const Call& call);
Outcome GetContentSummary(const Call& call);
Outcome GetQuotaUsage(const Call& call);
Outcome GetFileChecksum(const Call& call);
Outcome GetFileBlockLocations(const Call& call);
Outcome GetBlockLocations(const Call& call);

// asking.cpp: about the user and the system.
Outcome GetHomeDirectory(const Call& call);
Outcome GetTrashRoot(const Call& call);
Outcome GetServerDefaults(const Call& call);
Outcome GetStatus(const Call& call);
Outcome CheckAccess(const Call& call);
// There are no tokens, and this says so: a client then does without.
Outcome GetDelegationToken(const Call& call);

// naming.cpp
Outcome MakeDirectories(const Call& call);
Outcome Rename(const Call& call);
Outcome Delete(const Call& call);

// changing.cpp
Outcome SetReplication(const Call& call);
Outcome SetOwner(const Call& call);
Outcome SetPermission(const Call& call);
Outcome SetTimes(const Call& call);
Outcome SetQuota(const Call& call);
Outcome Truncate(const Call& call);
Outcome Concat(const Call& call);

// writing.cpp. Without data=true both answer with a redirect to the same URL with it, where the
// body is taken.
Outcome Create(const Call& call);
Outcome Append(const Call& call);

}  // namespace slipstream::gateway::webhdfs
