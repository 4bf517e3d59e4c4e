#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "dfs-client/admin_client.h"
#include "dfs-client/path.h"
#include "gateway/webhdfs/json.h"
#include "gateway/webhdfs/operations.h"

namespace slipstream::gateway::webhdfs {
namespace {

constexpr int64_t kNumberMax = std::numeric_limits<int64_t>::max();
constexpr uint32_t kPermissionDefault = 0755;

// Times and quotas: -1 has a meaning of its own.
Result<std::optional<int64_t>> NumberOrMinusOne(const Call& call, std::string_view name) {
  return call.parameters.Number(name, -1, kNumberMax);
}

// What a quota becomes: Hadoop's client sends -1 for no limit, and the largest number for one that
// stays as it is.
std::optional<uint64_t> QuotaLimit(const std::optional<int64_t>& asked) {
  if (!asked.has_value() || *asked == kNumberMax) return std::nullopt;
  return *asked < 0 ? 0 : static_cast<uint64_t>(*asked);
}

Outcome Changed(const Call& call, const dfs::AttributeChange& change) {
  RETURN_IF_ERROR(call.client->SetAttributes(call.path, change).status());
  return EmptyDocument();
}

// Nothing: it is a file.
std::optional<Outcome> NotAFile(const Call& call) {
  const Result<dfs::FileStatus> status = call.client->Stat(call.path);
  if (!status.ok()) return status.status();
  if (status->kind == dfs::FileKind::kFile) return std::nullopt;
  return FileNotFound("Path is not a file: " + call.path);
}

}  // namespace

Outcome SetReplication(const Call& call) {
  ASSIGN_OR_RETURN(const auto replication,
                   call.parameters.Number("replication", 1, std::numeric_limits<int16_t>::max()));
  if (!replication.has_value()) return InvalidArgument("setReplication wants a replication");
  const Result<dfs::FileStatus> status = call.client->Stat(call.path);
  // Hadoop says no more than that it was not done.
  if (status.status().code() == Code::kNotFound) return BooleanDocument(false);
  RETURN_IF_ERROR(status.status());
  if (status->kind == dfs::FileKind::kDirectory) return BooleanDocument(false);
  RETURN_IF_ERROR(call.client->SetReplication(call.path, static_cast<uint32_t>(*replication)));
  return BooleanDocument(true);
}

Outcome SetOwner(const Call& call) {
  const dfs::AttributeChange change{.owner = call.parameters.Text("owner"),
                                    .group = call.parameters.Text("group")};
  if (!change.owner.has_value() && !change.group.has_value()) {
    return InvalidArgument("Both owner and group are empty.");
  }
  return Changed(call, change);
}

Outcome SetPermission(const Call& call) {
  ASSIGN_OR_RETURN(const auto mode, call.parameters.Permission("permission"));
  return Changed(call, {.mode = mode.value_or(kPermissionDefault)});
}

Outcome SetTimes(const Call& call) {
  ASSIGN_OR_RETURN(auto modified_at, NumberOrMinusOne(call, "modificationtime"));
  ASSIGN_OR_RETURN(auto accessed_at, NumberOrMinusOne(call, "accesstime"));
  if (modified_at == -1) modified_at.reset();
  if (accessed_at == -1) accessed_at.reset();
  return Changed(call, {.modified_at_ms = modified_at, .accessed_at_ms = accessed_at});
}

Outcome SetQuota(const Call& call) {
  ASSIGN_OR_RETURN(const auto names, NumberOrMinusOne(call, "namespacequota"));
  ASSIGN_OR_RETURN(const auto space, NumberOrMinusOne(call, "storagespacequota"));
  dfs::AdminClient admin(*call.client);
  RETURN_IF_ERROR(admin.SetQuota(
      call.path, {.names_max = QuotaLimit(names), .space_max_bytes = QuotaLimit(space)}));
  return EmptyDocument();
}

Outcome Truncate(const Call& call) {
  ASSIGN_OR_RETURN(const auto length, call.parameters.Number("newlength", 0, kNumberMax));
  if (!length.has_value()) return InvalidArgument("truncate wants a newlength");
  if (auto why = NotAFile(call)) return std::move(*why);
  RETURN_IF_ERROR(call.client->Truncate(call.path, static_cast<uint64_t>(*length)));
  return BooleanDocument(true);
}

Outcome Concat(const Call& call) {
  const std::string text = call.parameters.Text("sources").value_or("");
  std::vector<std::string> sources;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    ASSIGN_OR_RETURN(std::string source, dfs::NormalizePath(text.substr(begin, end - begin)));
    sources.push_back(std::move(source));
    begin = end + 1;
  }
  if (sources.empty()) return InvalidArgument("concat wants sources");
  RETURN_IF_ERROR(call.client->Concat(call.path, sources));
  return EmptyDocument();
}

}  // namespace slipstream::gateway::webhdfs
