#include "dfs-master/caller_table.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include <grp.h>
#include <pwd.h>

#include "dfs-master/path.h"

namespace slipstream::dfs::master {
namespace {

constexpr std::chrono::minutes kKnownFor{5};
constexpr size_t kEntryBytes = size_t{16} << 10;
constexpr size_t kEntryBytesMax = size_t{1} << 20;
constexpr int kGroupsMax = 1'024;

// Calls `look` with ever more memory, until that is enough or too much.
template <class Look>
bool WithMemory(std::vector<char>& memory, Look look) {
  memory.resize(std::max(memory.size(), kEntryBytes));
  int error = look();
  while (error == ERANGE && memory.size() < kEntryBytesMax) {
    memory.resize(memory.size() * 2);
    error = look();
  }
  return error == 0;
}

std::optional<gid_t> FirstGroupOf(const std::string& user, std::vector<char>& memory) {
  passwd entry{};
  passwd* found = nullptr;
  const bool is_read = WithMemory(memory, [&] {
    return getpwnam_r(user.c_str(), &entry, memory.data(), memory.size(), &found);
  });
  return is_read && found != nullptr ? std::optional(entry.pw_gid) : std::nullopt;
}

std::vector<std::string> GroupsOf(const std::string& user) {
  std::vector<char> memory;
  const std::optional<gid_t> first = FirstGroupOf(user, memory);
  if (!first.has_value()) return {};
  std::vector<gid_t> ids(kGroupsMax);
  int count = kGroupsMax;
  if (getgrouplist(user.c_str(), *first, ids.data(), &count) < 0) count = kGroupsMax;
  ids.resize(static_cast<size_t>(count));
  std::vector<std::string> names;
  for (const gid_t id : ids) {
    group entry{};
    group* found = nullptr;
    const bool is_read = WithMemory(
        memory, [&] { return getgrgid_r(id, &entry, memory.data(), memory.size(), &found); });
    if (is_read && found != nullptr) names.emplace_back(entry.gr_name);
  }
  return names;
}

}  // namespace

CallerTable::CallerTable(Options options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      process_(std::make_shared<const Caller>(Caller::Process())) {}

std::shared_ptr<const Caller> CallerTable::LookUp(std::string_view user) const {
  auto caller = std::make_shared<Caller>();
  if (user.empty() || !CheckPrincipal(user).ok()) return caller;
  caller->user = user;
  caller->groups = GroupsOf(caller->user);
  const auto has = [](const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  caller->is_superuser = has(options_.superusers, user) || has(caller->groups, options_.supergroup);
  return caller;
}

std::shared_ptr<const Caller> CallerTable::Find(std::string_view user) {
  if (!options_.is_checking) return process_;
  const SteadyTime now = clock_.Now();
  {
    MutexLock lock(mutex_);
    const auto found = entries_.find(user);
    if (found != entries_.end() && now - found->second.known_since < kKnownFor) {
      return found->second.caller;
    }
  }
  std::shared_ptr<const Caller> caller = LookUp(user);
  if (caller->user.empty()) return caller;
  MutexLock lock(mutex_);
  if (entries_.size() >= kNamesMax) entries_.clear();
  entries_.insert_or_assign(std::string(user), Entry{.caller = caller, .known_since = now});
  return caller;
}

}  // namespace slipstream::dfs::master
