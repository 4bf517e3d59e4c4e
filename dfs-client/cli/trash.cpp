#include "dfs-client/cli/trash.h"

#include <utility>

#include <fmt/format.h>

#include "common/clock/clock.h"
#include "dfs-client/cli/times.h"
#include "dfs-client/path.h"

namespace slipstream::dfs::cli {
namespace {

// Names tried where one is taken; more than one within a second is rare.
constexpr int kAttemptsMax = 1000;
constexpr uint32_t kEverybodysMode = 01777;

int64_t NowMs() {
  return SystemClock::Get().WallNow().time_since_epoch().count();
}

bool IsAtOrBelow(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory == "/" ? "/" : directory + "/");
}

}  // namespace

Trash::Trash(Session& session)
    : session_(session), root_(session.home() + "/.Trash"), current_(root_ + "/Current") {}

void Trash::Log(const std::string& text) {
  session_.Warn(fmt::format("{} INFO fs.TrashPolicyDefault: {}", LogTime(NowMs()), text));
}

Result<std::chrono::milliseconds> Trash::Interval() {
  if (!interval_.has_value()) {
    auto defaults = session_.client().GetDefaults();
    // A master that knows nothing of it keeps no trash.
    if (defaults.status().code() == Code::kUnimplemented) defaults = Defaults{};
    RETURN_IF_ERROR(defaults.status());
    interval_ = defaults->trash_interval;
  }
  return *interval_;
}

Result<bool> Trash::IsOn() {
  ASSIGN_OR_RETURN(const std::chrono::milliseconds interval, Interval());
  return interval.count() > 0;
}

// Makes the directories for `path` below Current, and gives the place for it. Where a file stands
// in the way of a directory, the directory's name gets the time behind it.
Result<std::string> Trash::PlaceFor(const std::string& path) {
  std::string place = current_;
  for (size_t begin = 1; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    std::string next = JoinPath(place, path.substr(begin, end - begin));
    auto existing = session_.client().Stat(next);
    if (!existing.ok() && existing.status().code() != Code::kNotFound) return existing.status();
    const bool is_last = end == path.size();
    if (existing.ok() && (is_last || existing->kind == FileKind::kFile)) {
      next += std::to_string(NowMs());
    }
    place = std::move(next);
    begin = end + 1;
  }
  RETURN_IF_ERROR(MakePlaceOfHomes());
  RETURN_IF_ERROR(session_.client().MakeDirectory(std::string(ParentPath(place)), true).status());
  return place;
}

// Where it is missing, so that it does not become that of whoever first removes something: in it
// everybody may make a home.
Status Trash::MakePlaceOfHomes() {
  const std::string homes(ParentPath(session_.home()));
  if (session_.client().Stat(homes).status().code() != Code::kNotFound) return {};
  const Status made = session_.client().MakeDirectory(homes, false).status();
  if (made.code() == Code::kAlreadyExists) return {};
  RETURN_IF_ERROR(made);
  return session_.client().SetAttributes(homes, {.mode = kEverybodysMode}).status();
}

Result<bool> Trash::Take(const Item& item) {
  if (IsAtOrBelow(item.path, root_)) return false;
  if (IsAtOrBelow(root_, item.path)) {
    return FailedPrecondition(
        fmt::format("Cannot move \"{}\" to the trash, as it contains the trash. Consider using "
                    "-skipTrash option",
                    session_.Uri(item.path)));
  }
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    ASSIGN_OR_RETURN(const std::string place, PlaceFor(item.path));
    const Status status = session_.client().Rename(item.path, place, false);
    if (status.code() == Code::kAlreadyExists) continue;  // taken meanwhile
    if (status.code() == Code::kNotFound) return status;
    if (!status.ok()) {
      return FailedPrecondition(
          fmt::format("Failed to move to trash: {}: {}. Consider using -skipTrash option",
                      session_.Uri(item.path),
                      status.message()));
    }
    Log(fmt::format("Moved: '{}' to trash at: {}", session_.Uri(item.path), session_.Uri(place)));
    return true;
  }
  return FailedPrecondition("Failed to move to trash: " + session_.Uri(item.path));
}

Status Trash::DeleteCheckpoints(bool all) {
  Log("TrashPolicyDefault#deleteCheckpoint for trashRoot: " + session_.Uri(root_));
  ASSIGN_OR_RETURN(const std::chrono::milliseconds interval, Interval());
  auto entries = session_.client().ListAll(root_);
  if (entries.status().code() == Code::kNotFound) return {};
  RETURN_IF_ERROR(entries.status());
  for (const FileStatus& entry : *entries) {
    const std::string path = JoinPath(root_, entry.name);
    if (path == current_) continue;
    const std::optional<int64_t> made_ms = ParseCheckpointTime(entry.name);
    if (!made_ms.has_value()) {
      session_.Warn(
          fmt::format("{} WARN fs.TrashPolicyDefault: Unexpected item in trash: {}. "
                      "Ignoring.",
                      LogTime(NowMs()),
                      path));
      continue;
    }
    if (!all && NowMs() - interval.count() <= *made_ms) continue;
    const Status status = session_.client().Delete(path, true);
    if (status.code() == Code::kNotFound) continue;  // by the emptier
    RETURN_IF_ERROR(status);
    Log("Deleted trash checkpoint: " + path);
  }
  return {};
}

Status Trash::MakeCheckpoint() {
  Log("TrashPolicyDefault#createCheckpoint for trashRoot: " + session_.Uri(root_));
  const std::string base = JoinPath(root_, CheckpointName(NowMs()));
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    const std::string place = attempt == 0 ? base : fmt::format("{}-{}", base, attempt);
    const Status status = session_.client().Rename(current_, place, false);
    if (status.code() == Code::kAlreadyExists) continue;
    if (status.code() == Code::kNotFound) return {};  // nothing was removed
    RETURN_IF_ERROR(status);
    Log("Created trash checkpoint: " + place);
    return {};
  }
  return FailedPrecondition("Failed to checkpoint trash: " + base);
}

}  // namespace slipstream::dfs::cli
