#include "dfs-master/subtree_count.h"

#include <algorithm>
#include <utility>

#include "dfs-master/records.h"

namespace slipstream::dfs::master {

Result<bool> SubtreeWalk::Step(size_t limit) {
  size_t visited = 0;
  while (!directories_.empty() && visited < limit) {
    const InodeId directory = directories_.back();
    std::vector<InodeId> children;
    bool is_cut_short = false;
    Status damage;
    std::string begin = ChildKey(directory, name_);
    if (!name_.empty()) begin.push_back('\0');
    auto visit = [&](std::string_view key, std::string_view value) {
      if (visited == limit) {
        is_cut_short = true;
        return false;
      }
      ++visited;
      Inode child;
      damage = Decode(value, child);
      name_ = key.substr(sizeof(InodeId));
      usage_ += child.usage();
      if (child.is_directory()) children.push_back(child.id);
      return damage.ok();
    };
    RETURN_IF_ERROR(scan_(begin, ChildrenEnd(directory), visit));
    RETURN_IF_ERROR(damage);
    if (is_cut_short) {
      // The children are visited before the rest of their directory.
      directories_.insert(directories_.end() - 1, children.begin(), children.end());
      break;
    }
    directories_.pop_back();
    name_.clear();
    directories_.insert(directories_.end(), children.begin(), children.end());
  }
  return directories_.empty();
}

void SubtreeCounter::Add(SubtreeCount count, const KeyValueStore& store) {
  if (count.new_quota.has_value()) Forget(*count.new_quota);
  if (count.from.empty() && count.to.empty()) return;
  auto task = std::make_unique<Task>();
  task->view = store.Snapshot();
  const KeyValueView& view = *task->view;
  task->walk = std::make_unique<SubtreeWalk>(
      [&view](std::string_view begin, std::string_view end, const KeyValueView::Visitor& visit) {
        return view.Scan(Table::kInodes, begin, end, visit);
      },
      count.root);
  task->count = std::move(count);
  tasks_.push_back(std::move(task));
}

bool SubtreeCounter::IsCounting(InodeId quota) const {
  auto has = [quota](const std::vector<InodeId>& quotas) {
    return std::find(quotas.begin(), quotas.end(), quota) != quotas.end();
  };
  return std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& task) {
    return has(task->count.from) || has(task->count.to);
  });
}

void SubtreeCounter::Forget(InodeId quota) {
  for (const auto& task : tasks_) {
    std::erase(task->count.from, quota);
    std::erase(task->count.to, quota);
  }
}

}  // namespace slipstream::dfs::master
