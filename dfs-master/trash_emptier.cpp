#include "dfs-master/trash_emptier.h"

#include <algorithm>
#include <array>

#include "common/log/log.h"

namespace slipstream::dfs::master {
namespace {

constexpr char kUsersPath[] = "/user";
constexpr char kTrashName[] = ".Trash";
constexpr char kCurrentName[] = "Current";
constexpr uint32_t kUsersPerStep = 100;
constexpr uint32_t kCheckpointsPerStep = 100;
constexpr int kNamesTriedMax = 100;
constexpr size_t kCheckpointDigits = 12;
constexpr int64_t kMsPerSecond = 1'000;
constexpr int kCentury = 2'000;

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The two digits at `offset`.
unsigned Pair(std::string_view digits, size_t offset) {
  return static_cast<unsigned>(digits[offset] - '0') * 10 +
         static_cast<unsigned>(digits[offset + 1] - '0');
}

}  // namespace

std::string TrashEmptier::CheckpointName(int64_t time_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(time_ms)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  const std::array<int64_t, 6> parts = {static_cast<int>(date.year()) % 100,
                                        static_cast<unsigned>(date.month()),
                                        static_cast<unsigned>(date.day()),
                                        clock.hours().count(),
                                        clock.minutes().count(),
                                        clock.seconds().count()};
  std::string name;
  for (int64_t part : parts) {
    name.push_back(static_cast<char>('0' + part / 10));
    name.push_back(static_cast<char>('0' + part % 10));
  }
  return name;
}

std::optional<int64_t> TrashEmptier::CheckpointTime(std::string_view name) {
  const std::string_view digits = name.substr(0, kCheckpointDigits);
  const std::string_view rest = name.substr(digits.size());
  if (digits.size() != kCheckpointDigits || !IsDigits(digits)) return std::nullopt;
  if (!rest.empty() && (rest.front() != '-' || !IsDigits(rest.substr(1)))) return std::nullopt;
  const std::chrono::year_month_day date(
      std::chrono::year(kCentury + static_cast<int>(Pair(digits, 0))),
      std::chrono::month(Pair(digits, 2)),
      std::chrono::day(Pair(digits, 4)));
  const unsigned hours = Pair(digits, 6);
  const unsigned minutes = Pair(digits, 8);
  const unsigned seconds = Pair(digits, 10);
  if (!date.ok() || hours > 23 || minutes > 59 || seconds > 60) return std::nullopt;
  const auto time = std::chrono::sys_days(date) + std::chrono::hours(hours) +
                    std::chrono::minutes(minutes) + std::chrono::seconds(seconds);
  return std::chrono::seconds(time.time_since_epoch()).count() * kMsPerSecond;
}

bool TrashEmptier::IsDue(const Now& now) {
  if (interval_.count() == 0) return false;
  const int64_t number = now.wall_ms() / interval_.count();
  // Before the first look, and where the clock was set back, there is nothing to make up for.
  if (number > interval_number_.value_or(number)) is_under_way_ = true;
  interval_number_ = number;
  return is_under_way_;
}

Result<bool> TrashEmptier::Step(Transaction& txn, const Now& now) {
  if (!is_under_way_) return false;
  Result<Listing> users = tree_.List(txn, kUsersPath, user_, kUsersPerStep);
  if (users.status().code() == Code::kNotFound) users = Listing{};
  RETURN_IF_ERROR(users.status());
  for (const FileStatus& user : users->entries) {
    user_ = user.name;
    if (user.kind != FileKind::kDirectory) continue;
    ASSIGN_OR_RETURN(std::optional<Inode> trash, tree_.FindChild(txn, user.id, kTrashName));
    if (!trash.has_value() || !trash->is_directory()) continue;
    const std::string path = std::string(kUsersPath) + "/" + user.name + "/" + kTrashName;
    RETURN_IF_ERROR(DeleteCheckpoints(txn, path, now));
    RETURN_IF_ERROR(RollCurrent(txn, path, now));
    return true;
  }
  is_under_way_ = users->has_more;
  if (!is_under_way_) user_.clear();
  return is_under_way_;
}

Status TrashEmptier::DeleteCheckpoints(Transaction& txn, const std::string& trash, const Now& now) {
  // Behind everything that does not begin with a digit; the oldest come first.
  ASSIGN_OR_RETURN(Listing listing, tree_.List(txn, trash, "/", kCheckpointsPerStep));
  for (const FileStatus& entry : listing.entries) {
    const std::optional<int64_t> made_ms = CheckpointTime(entry.name);
    const bool is_old = made_ms.has_value() && *made_ms + interval_.count() <= now.wall_ms();
    if (!is_old || entry.kind != FileKind::kDirectory) continue;
    const std::string path = trash + "/" + entry.name;
    RETURN_IF_ERROR(tree_.Delete(txn, path, /*is_recursive=*/true, now));
    log::Get("dfs_master")->info("trash_checkpoint_deleted path={}", log::Quoted(path));
  }
  return {};
}

Status TrashEmptier::RollCurrent(Transaction& txn, const std::string& trash, const Now& now) {
  const std::string current = trash + "/" + kCurrentName;
  const std::string base = trash + "/" + CheckpointName(now.wall_ms());
  for (int attempt = 0; attempt < kNamesTriedMax; ++attempt) {
    const std::string place = attempt == 0 ? base : base + "-" + std::to_string(attempt);
    const Status renamed = tree_.Rename(txn, current, place, /*replace=*/false, now);
    if (renamed.code() == Code::kNotFound) return {};  // nothing was removed
    if (renamed.code() == Code::kAlreadyExists || renamed.code() == Code::kFailedPrecondition) {
      continue;  // taken, or reserved by a writer
    }
    RETURN_IF_ERROR(renamed);
    log::Get("dfs_master")->info("trash_checkpoint_made path={}", log::Quoted(place));
    return {};
  }
  log::Get("dfs_master")->warn("trash_not_rolled path={}", log::Quoted(current));
  return {};
}

}  // namespace slipstream::dfs::master
