#include "tests/simulation/tree_model.h"

#include <algorithm>

namespace slipstream::simulation {
namespace {

std::string ParentOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

bool IsBelow(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

}  // namespace

bool TreeModel::IsFile(const std::string& path) const {
  return Find(path) != nullptr;
}

Content TreeModel::Find(const std::string& path) const {
  auto found = entries_.find(path);
  return found == entries_.end() ? nullptr : found->second;
}

bool TreeModel::IsDirectory(const std::string& path) const {
  auto found = entries_.find(path);
  return found != entries_.end() && found->second == nullptr;
}

bool TreeModel::IsEmpty(const std::string& directory) const {
  return std::none_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return IsBelow(entry.first, directory);
  });
}

bool TreeModel::MakeParents(const std::string& path) {
  const std::string parent = ParentOf(path);
  if (IsDirectory(parent)) return true;
  if (entries_.contains(parent) || parent.size() < root_.size()) return false;
  if (!MakeParents(parent)) return false;
  entries_[parent] = nullptr;
  return true;
}

bool TreeModel::Put(const std::string& path, const Content& content, bool replace) {
  if (IsDirectory(path) || (IsFile(path) && !replace)) return false;
  if (!MakeParents(path)) return false;
  entries_[path] = content;
  return true;
}

bool TreeModel::MakeDirectory(const std::string& path) {
  if (entries_.contains(path) || !IsDirectory(ParentOf(path))) return false;
  entries_[path] = nullptr;
  return true;
}

bool TreeModel::Delete(const std::string& path, bool is_recursive) {
  if (!entries_.contains(path)) return false;
  if (IsDirectory(path) && !is_recursive && !IsEmpty(path)) return false;
  std::erase_if(entries_, [&](const auto& entry) {
    return entry.first == path || IsBelow(entry.first, path);
  });
  return true;
}

bool TreeModel::Rename(const std::string& source, const std::string& target, bool replace) {
  if (!entries_.contains(source) || !IsDirectory(ParentOf(target))) return false;
  if (source == target || IsBelow(target, source)) return false;
  if (entries_.contains(target)) {
    if (!replace || IsFile(source) != IsFile(target)) return false;
    if (IsDirectory(target) && !IsEmpty(target)) return false;
    entries_.erase(target);
  }
  std::map<std::string, Content> moved;
  for (const auto& [path, content] : entries_) {
    if (path == source || IsBelow(path, source)) {
      moved[target + path.substr(source.size())] = content;
    }
  }
  std::erase_if(entries_, [&](const auto& entry) {
    return entry.first == source || IsBelow(entry.first, source);
  });
  entries_.merge(moved);
  return true;
}

bool TreeModel::Truncate(const std::string& path, size_t length_bytes) {
  const Content content = Find(path);
  if (content == nullptr || length_bytes > content->size()) return false;
  entries_[path] = std::make_shared<const std::string>(content->substr(0, length_bytes));
  return true;
}

bool TreeModel::Concat(const std::string& target, const std::vector<std::string>& sources) {
  if (!IsFile(target)) return false;
  std::string joined = *Find(target);
  for (const std::string& source : sources) {
    if (!IsFile(source)) return false;
    joined += *Find(source);
  }
  for (const std::string& source : sources)
    entries_.erase(source);
  entries_[target] = std::make_shared<const std::string>(std::move(joined));
  return true;
}

bool operator==(const TreeModel& a, const TreeModel& b) {
  return std::equal(a.entries_.begin(),
                    a.entries_.end(),
                    b.entries_.begin(),
                    b.entries_.end(),
                    [](const auto& x, const auto& y) {
                      if (x.first != y.first || !x.second != !y.second) return false;
                      return x.second == y.second || *x.second == *y.second;
                    });
}

}  // namespace slipstream::simulation
