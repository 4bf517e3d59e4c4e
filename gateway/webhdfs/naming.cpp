#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "dfs-client/path.h"
#include "gateway/webhdfs/json.h"
#include "gateway/webhdfs/operations.h"

// Hadoop's rules for names, on top of the master's, which are stricter: each ends in one call to
// the master, and who comes in between is seen there and answered as if he had come before.

namespace slipstream::gateway::webhdfs {
namespace {

bool IsBelow(const std::string& path, const std::string& directory) {
  return directory == "/" || path.starts_with(directory + "/");
}

// Nothing: there is nothing at the path.
Result<std::optional<dfs::FileStatus>> Find(const Call& call, const std::string& path) {
  Result<dfs::FileStatus> status = call.client->Stat(path);
  if (status.status().code() == Code::kNotFound) return std::optional<dfs::FileStatus>();
  RETURN_IF_ERROR(status.status());
  return std::optional<dfs::FileStatus>(std::move(*status));
}

// `rename` as it was at first: what cannot be done is false, an existing directory takes the source
// in.
Outcome RenameInto(const Call& call, const std::string& destination) {
  ASSIGN_OR_RETURN(const auto source, Find(call, call.path));
  if (!source.has_value() || call.path == "/") return BooleanDocument(false);
  if (destination == call.path) return BooleanDocument(true);
  if (IsBelow(destination, call.path)) {
    return Io(fmt::format(
        "Rename destination {} is a directory or file under source {}", destination, call.path));
  }
  ASSIGN_OR_RETURN(const auto existing, Find(call, destination));
  std::string target = destination;
  if (existing.has_value()) {
    if (existing->kind == dfs::FileKind::kFile) return BooleanDocument(false);
    target = dfs::JoinPath(destination, dfs::BaseName(call.path));
    if (target == call.path) return BooleanDocument(true);  // it lies in there already
  }
  const Status renamed = call.client->Rename(call.path, target, /*replace=*/false);
  // The source, or the target's parent, is not there; or something is in the target's place.
  if (renamed.code() == Code::kNotFound || renamed.code() == Code::kAlreadyExists) {
    return BooleanDocument(false);
  }
  RETURN_IF_ERROR(renamed);
  return BooleanDocument(true);
}

// `rename` with options: what cannot be done is an exception, the destination is the full new path.
Outcome RenameTo(const Call& call, const std::string& destination, bool replaces) {
  ASSIGN_OR_RETURN(const auto source, Find(call, call.path));
  if (!source.has_value())
    return FileNotFound("rename source " + call.path + " is not found: it does not exist");
  if (destination == call.path) {
    return FileAlreadyExists(
        fmt::format("The source {} and destination {} are the same", call.path, destination));
  }
  if (call.path == "/" || IsBelow(destination, call.path)) {
    return Io(fmt::format(
        "Rename destination {} is a directory or file under source {}", destination, call.path));
  }
  ASSIGN_OR_RETURN(const auto existing, Find(call, destination));
  if (existing.has_value() && existing->kind != source->kind) {
    return Io(fmt::format(
        "Source {} and destination {} must both be directories or files", call.path, destination));
  }
  if (existing.has_value() && !replaces) {
    return FileAlreadyExists(fmt::format("rename destination {} already exists", destination));
  }
  if (existing.has_value() && existing->child_count > 0) {
    return PathIsNotEmpty(
        fmt::format("rename destination directory is not empty: {}", destination));
  }
  const Status renamed = call.client->Rename(call.path, destination, replaces);
  if (renamed.code() == Code::kNotFound) {
    return FileNotFound(
        fmt::format("rename destination parent {} not found: it does not exist", destination));
  }
  if (renamed.code() == Code::kAlreadyExists) {
    return FileAlreadyExists(fmt::format("rename destination {} already exists", destination));
  }
  RETURN_IF_ERROR(renamed);
  // Hadoop says nothing here; its client does not look, and Python's wants a boolean always.
  return BooleanDocument(true);
}

}  // namespace

Outcome MakeDirectories(const Call& call) {
  ASSIGN_OR_RETURN(const auto mode, call.parameters.Permission("permission"));
  const auto found = Find(call, call.path);
  if (found.status().code() == Code::kFailedPrecondition) {
    return ParentNotDirectory("Parent path is not a directory: " + call.path);
  }
  ASSIGN_OR_RETURN(const auto existing, found);
  if (existing.has_value() && existing->kind == dfs::FileKind::kDirectory) {
    return BooleanDocument(true);
  }
  const Result<dfs::FileStatus> made =
      call.client->MakeDirectory(call.path, /*create_parents=*/true);
  if (existing.has_value() || made.status().code() == Code::kAlreadyExists) {
    return FileAlreadyExists("Path is not a directory: " + call.path);
  }
  if (made.status().code() == Code::kFailedPrecondition) {
    return ParentNotDirectory("Parent path is not a directory: " + call.path);
  }
  RETURN_IF_ERROR(made.status());
  if (mode.has_value() && *mode != made->mode) {
    RETURN_IF_ERROR(call.client->SetAttributes(call.path, {.mode = *mode}).status());
  }
  return BooleanDocument(true);
}

Outcome Rename(const Call& call) {
  const std::optional<std::string> text = call.parameters.Text("destination");
  if (!text.has_value()) return InvalidArgument("rename wants a destination");
  ASSIGN_OR_RETURN(const std::string destination, dfs::NormalizePath(*text));
  const std::optional<std::string> options = call.parameters.Text("renameoptions");
  if (!options.has_value()) return RenameInto(call, destination);
  const bool replaces = *options == "OVERWRITE";
  if (!replaces && *options != "NONE" && *options != "TO_TRASH") {
    return InvalidArgument("Invalid value for webhdfs parameter \"renameoptions\": " + *options);
  }
  return RenameTo(call, destination, replaces);
}

Outcome Delete(const Call& call) {
  ASSIGN_OR_RETURN(const bool is_recursive, call.parameters.Boolean("recursive", false));
  ASSIGN_OR_RETURN(const auto existing, Find(call, call.path));
  if (!existing.has_value()) return BooleanDocument(false);
  if (!is_recursive && existing->child_count > 0) {
    return PathIsNotEmpty("`" + call.path + " is non empty': Directory is not empty");
  }
  if (call.path == "/") return BooleanDocument(false);
  const Status deleted = call.client->Delete(call.path, is_recursive);
  if (deleted.code() == Code::kNotFound) return BooleanDocument(false);
  RETURN_IF_ERROR(deleted);
  return BooleanDocument(true);
}

}  // namespace slipstream::gateway::webhdfs
