#include "dfs-master/quota_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "dfs-master/codec.h"
#include "dfs-master/path.h"
#include "dfs-master/subtree_count.h"

namespace slipstream::dfs::master {
namespace {

constexpr uint64_t kLimitMax = INT64_MAX;

// "1024 B = 1 KB", as Hadoop writes it: two decimals unless they are zeroes.
std::string BytesInWords(uint64_t bytes) {
  std::string text = std::to_string(bytes) + " B = ";
  if (bytes < 1024) return text + std::to_string(bytes) + " B";
  constexpr std::array kUnits = {"", "KB", "MB", "GB", "TB", "PB", "EB"};
  size_t unit = 0;
  uint64_t whole = bytes;
  for (; whole >= 1024; whole >>= 10U)
    ++unit;
  if (bytes == whole << (10U * unit)) return text + std::to_string(whole) + " " + kUnits[unit];
  std::array<char, 32> number{};
  const double value =
      static_cast<double>(bytes) / static_cast<double>(uint64_t{1} << (10U * unit));
  std::snprintf(number.data(), number.size(), "%.2f", value);
  return text + number.data() + " " + kUnits[unit];
}

// The elements of `all` that `excluded` does not have.
std::vector<InodeId> Without(const std::vector<InodeId>& all,
                             const std::vector<InodeId>& excluded) {
  std::vector<InodeId> rest;
  for (InodeId id : all) {
    if (std::find(excluded.begin(), excluded.end(), id) == excluded.end()) rest.push_back(id);
  }
  return rest;
}

Status CheckLimit(std::optional<uint64_t> limit) {
  if (!limit.has_value() || *limit <= kLimitMax) return {};
  return InvalidArgument("a quota is at most 9223372036854775807");
}

}  // namespace

Status QuotaTable::Load(const KeyValueStore& store) {
  return store.Scan(Table::kQuotas, "", "", [&](std::string_view key, std::string_view) {
    may_have_.insert(ReadBigEndian(key));
    return true;
  });
}

Status QuotaTable::RestartCounts(Transaction& txn) {
  for (InodeId directory : may_have_) {
    ASSIGN_OR_RETURN(std::optional<Quota> quota, Find(txn, directory));
    if (!quota.has_value() || !quota->is_counting) continue;
    quota->used = {.names = 1};
    txn.Put(Table::kQuotas, BigEndian(directory), Encode(*quota));
    txn.CountLater({.root = directory, .to = {directory}, .new_quota = directory});
  }
  return {};
}

Result<std::optional<Quota>> QuotaTable::Find(const Transaction& txn, InodeId directory) const {
  if (!may_have_.contains(directory)) return std::optional<Quota>();
  return txn.Load<Quota>(Table::kQuotas, BigEndian(directory));
}

Status QuotaTable::SetLimits(Transaction& txn, InodeId directory, const Limits& limits) {
  RETURN_IF_ERROR(CheckLimit(limits.names_max));
  RETURN_IF_ERROR(CheckLimit(limits.space_max_bytes));
  ASSIGN_OR_RETURN(std::optional<Quota> existing, Find(txn, directory));
  Quota quota = existing.value_or(Quota{});
  quota.names_max = limits.names_max.value_or(quota.names_max);
  quota.space_max_bytes = limits.space_max_bytes.value_or(quota.space_max_bytes);
  if (!quota.has_limit()) {
    if (existing.has_value()) Erase(txn, directory);
    return {};
  }
  if (!existing.has_value()) {
    Inode inode;
    inode.id = directory;
    inode.kind = FileKind::kDirectory;
    ASSIGN_OR_RETURN(Below below, CountBelow(txn, inode));
    quota.used = {.names = 1};
    SubtreeCount count{.root = directory, .new_quota = directory};
    if (below.is_complete) {
      quota.used += below.usage;
    } else {
      quota.is_counting = true;
      count.to = {directory};
    }
    txn.CountLater(std::move(count));
    may_have_.insert(directory);
  }
  txn.Put(Table::kQuotas, BigEndian(directory), Encode(quota));
  return {};
}

void QuotaTable::Erase(Transaction& txn, InodeId directory) const {
  if (may_have_.contains(directory)) txn.Delete(Table::kQuotas, BigEndian(directory));
}

Status QuotaTable::Charge(Transaction& txn, InodeId directory, const Usage& usage, Check check) {
  if (may_have_.empty() || usage.is_none()) return {};
  ASSIGN_OR_RETURN(std::vector<InodeId> above, Above(txn, directory));
  return Add(txn, above, usage, check);
}

Status QuotaTable::Move(
    Transaction& txn, const Inode& inode, InodeId from, InodeId to, Check check) {
  if (may_have_.empty()) return {};
  ASSIGN_OR_RETURN(std::vector<InodeId> above_from, Above(txn, from));
  ASSIGN_OR_RETURN(std::vector<InodeId> above_to, Above(txn, to));
  const std::vector<InodeId> leaving = Without(above_from, above_to);
  const std::vector<InodeId> entering = Without(above_to, above_from);
  if (leaving.empty() && entering.empty()) return {};

  Usage usage = inode.usage();
  ASSIGN_OR_RETURN(Below below, CountBelow(txn, inode));
  if (below.is_complete) usage += below.usage;
  RETURN_IF_ERROR(Add(txn, leaving, -usage, Check::kAllow));
  RETURN_IF_ERROR(Add(txn, entering, usage, check));
  if (below.is_complete) return {};
  RETURN_IF_ERROR(MarkCounting(txn, leaving));
  RETURN_IF_ERROR(MarkCounting(txn, entering));
  txn.CountLater({.root = inode.id, .from = leaving, .to = entering});
  return {};
}

Status QuotaTable::Promise(Transaction& txn,
                           InodeId directory,
                           const Usage& usage,
                           PreparedShare& share) {
  if (may_have_.empty() || usage.is_none()) return {};
  ASSIGN_OR_RETURN(std::vector<InodeId> above, Above(txn, directory));
  for (InodeId id : above) {
    ASSIGN_OR_RETURN(std::optional<Quota> quota, Find(txn, id));
    if (!quota.has_value()) continue;
    RETURN_IF_ERROR(CheckLimits(txn, id, *quota, usage));
    quota->promised += usage;
    txn.Put(Table::kQuotas, BigEndian(id), Encode(*quota));
    share.charged.push_back(id);
  }
  if (!share.charged.empty()) share.usage = usage;
  return {};
}

Status QuotaTable::EndPromise(Transaction& txn, const PreparedShare& share) {
  for (InodeId id : share.charged) {
    ASSIGN_OR_RETURN(std::optional<Quota> quota, Find(txn, id));
    if (!quota.has_value()) continue;
    // A quota taken away and set anew has not heard of older promises.
    quota->promised += -share.usage;
    quota->promised.names = std::max<int64_t>(quota->promised.names, 0);
    quota->promised.space_bytes = std::max<int64_t>(quota->promised.space_bytes, 0);
    txn.Put(Table::kQuotas, BigEndian(id), Encode(*quota));
  }
  return {};
}

Status QuotaTable::Counted(Transaction& txn, const SubtreeCount& count, const Usage& usage) {
  RETURN_IF_ERROR(Add(txn, count.from, -usage, Check::kAllow));
  return Add(txn, count.to, usage, Check::kAllow);
}

Status QuotaTable::EndCounting(Transaction& txn, InodeId directory) {
  ASSIGN_OR_RETURN(std::optional<Quota> quota, Find(txn, directory));
  if (!quota.has_value()) return {};
  quota->is_counting = false;
  txn.Put(Table::kQuotas, BigEndian(directory), Encode(*quota));
  return {};
}

Result<std::vector<InodeId>> QuotaTable::Above(const Transaction& txn, InodeId directory) const {
  std::vector<InodeId> above;
  // No path is deeper; a longer chain of parents is a ring, that is, damage.
  for (size_t depth = 0; directory != kNoInode && depth <= kPathBytesMax; ++depth) {
    ASSIGN_OR_RETURN(std::optional<Quota> quota, Find(txn, directory));
    if (quota.has_value()) above.push_back(directory);
    ASSIGN_OR_RETURN(std::optional<std::string> key,
                     txn.Get(Table::kInodeNames, BigEndian(directory)));
    // Below a directory that was deleted nobody counts any more.
    if (!key.has_value()) return std::vector<InodeId>();
    directory = ReadBigEndian(*key);
  }
  return above;
}

Status QuotaTable::Add(Transaction& txn,
                       std::span<const InodeId> directories,
                       const Usage& usage,
                       Check check) const {
  for (InodeId id : directories) {
    ASSIGN_OR_RETURN(std::optional<Quota> quota, Find(txn, id));
    if (!quota.has_value()) continue;
    if (check == Check::kRefuse) RETURN_IF_ERROR(CheckLimits(txn, id, *quota, usage));
    quota->used += usage;
    txn.Put(Table::kQuotas, BigEndian(id), Encode(*quota));
  }
  return {};
}

Status QuotaTable::CheckLimits(const Transaction& txn,
                               InodeId directory,
                               const Quota& quota,
                               const Usage& usage) const {
  Usage sum = quota.used;
  sum += quota.promised;
  sum += usage;
  if (quota.names_max != 0 && usage.names > 0 &&
      sum.names > static_cast<int64_t>(quota.names_max)) {
    ASSIGN_OR_RETURN(std::string path, PathOf(txn, directory));
    return ResourceExhausted("The NameSpace quota (directories and files) of directory " + path +
                             " is exceeded: quota=" + std::to_string(quota.names_max) +
                             " file count=" + std::to_string(sum.names));
  }
  if (quota.space_max_bytes != 0 && usage.space_bytes > 0 &&
      sum.space_bytes > static_cast<int64_t>(quota.space_max_bytes)) {
    ASSIGN_OR_RETURN(std::string path, PathOf(txn, directory));
    return ResourceExhausted("The DiskSpace quota of " + path + " is exceeded: quota = " +
                             BytesInWords(quota.space_max_bytes) + " but diskspace consumed = " +
                             BytesInWords(static_cast<uint64_t>(sum.space_bytes)));
  }
  return {};
}

Status QuotaTable::MarkCounting(Transaction& txn, std::span<const InodeId> directories) const {
  for (InodeId id : directories) {
    ASSIGN_OR_RETURN(std::optional<Quota> quota, Find(txn, id));
    if (!quota.has_value()) continue;
    quota->is_counting = true;
    txn.Put(Table::kQuotas, BigEndian(id), Encode(*quota));
  }
  return {};
}

Result<QuotaTable::Below> QuotaTable::CountBelow(const Transaction& txn, const Inode& inode) const {
  if (!inode.is_directory()) return Below{};
  SubtreeWalk walk(
      [&txn](std::string_view begin, std::string_view end, const KeyValueView::Visitor& visit) {
        return txn.Scan(Table::kInodes, begin, end, visit);
      },
      inode.id);
  ASSIGN_OR_RETURN(bool is_complete, walk.Step(count_inline_max_));
  return Below{.usage = walk.usage(), .is_complete = is_complete};
}

Result<std::string> QuotaTable::PathOf(const Transaction& txn, InodeId directory) const {
  std::string path;
  for (size_t depth = 0; directory != kRootInode && depth <= kPathBytesMax; ++depth) {
    ASSIGN_OR_RETURN(std::optional<std::string> key,
                     txn.Get(Table::kInodeNames, BigEndian(directory)));
    if (!key.has_value() || key->size() < sizeof(InodeId)) break;
    path.insert(0, "/" + key->substr(sizeof(InodeId)));
    directory = ReadBigEndian(*key);
  }
  return path.empty() ? "/" : path;
}

}  // namespace slipstream::dfs::master
