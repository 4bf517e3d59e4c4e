#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "dfs-client/path.h"
#include "gateway/webhdfs/file_sinks.h"
#include "gateway/webhdfs/operations.h"
#include "gateway/webhdfs/redirect.h"

namespace slipstream::gateway::webhdfs {
namespace {

constexpr uint32_t kPermissionDefault = 0644;
constexpr int64_t kReplicationMax = 16;

// Why a file cannot be made, before its data is sent: at the redirect, and again where the data
// comes, since some go there at once. Whoever is quicker in between shows at the end.
std::optional<Outcome> NotCreatable(const Call& call) {
  const Result<bool> replaces = call.parameters.Boolean("overwrite", false);
  if (!replaces.ok()) return replaces.status();
  const Result<bool> makes_parents = call.parameters.Boolean("createparent", true);
  if (!makes_parents.ok()) return makes_parents.status();
  const Result<dfs::FileStatus> existing = call.client->Stat(call.path);
  if (existing.ok() && existing->kind == dfs::FileKind::kDirectory) {
    return FileAlreadyExists(call.path + " already exists as a directory");
  }
  if (existing.ok() && !*replaces) {
    return FileAlreadyExists(
        fmt::format("{} for client {} already exists", call.path, call.remote));
  }
  if (existing.status().code() == Code::kFailedPrecondition) {
    return ParentNotDirectory(fmt::format("{} (is not a directory)", dfs::ParentPath(call.path)));
  }
  if (existing.status().code() != Code::kNotFound) {
    if (existing.ok()) return std::nullopt;
    return existing.status();
  }
  if (*makes_parents) return std::nullopt;
  const std::string parent(dfs::ParentPath(call.path));
  const Status found = call.client->Stat(parent).status();
  if (found.code() == Code::kNotFound) {
    return FileNotFound("Parent directory does not exist: " + parent);
  }
  if (!found.ok()) return found;
  return std::nullopt;
}

}  // namespace

Outcome Create(const Call& call) {
  ASSIGN_OR_RETURN(const bool carries_data, IsDataRequest(call));
  ASSIGN_OR_RETURN(const bool replaces, call.parameters.Boolean("overwrite", false));
  ASSIGN_OR_RETURN(const auto mode, call.parameters.Permission("permission"));
  ASSIGN_OR_RETURN(const auto replication,
                   call.parameters.Number("replication", 0, kReplicationMax));
  if (auto why = NotCreatable(call)) return std::move(*why);
  if (!carries_data) return RedirectToData(call);
  const dfs::FileWriter::Options options{
      .replace = replaces,
      .replication = static_cast<uint32_t>(replication.value_or(0)),
      .mode = mode.value_or(kPermissionDefault)};
  return http::Answer(http::Upload{.sink = std::make_unique<CreateSink>(call, options),
                                   .memory_bytes = UploadMemoryFor(call.body_bytes)});
}

Outcome Append(const Call& call) {
  ASSIGN_OR_RETURN(const bool carries_data, IsDataRequest(call));
  const Result<dfs::FileStatus> existing = call.client->Stat(call.path);
  if (existing.status().code() == Code::kNotFound) {
    return FileNotFound(
        fmt::format("Failed to append to non-existent file {} for client {}: it does not exist",
                    call.path,
                    call.remote));
  }
  RETURN_IF_ERROR(existing.status());
  if (existing->kind == dfs::FileKind::kDirectory) {
    return FileAlreadyExists(
        fmt::format("Cannot append to directory {}; already exists as a directory.", call.path));
  }
  if (!carries_data) return RedirectToData(call);
  return http::Answer(http::Upload{.sink = std::make_unique<AppendSink>(call),
                                   .memory_bytes = UploadMemoryFor(call.body_bytes)});
}

}  // namespace slipstream::gateway::webhdfs
