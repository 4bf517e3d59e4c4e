#include "tests/simulation/tree_model.h"

#include <algorithm>
#include <utility>

namespace slipstream::simulation {
namespace {

std::string ParentOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

bool IsBelow(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

// Takes away what `entries` has of a path and of all below it.
template <class Value>
std::map<std::string, Value> CutOff(std::map<std::string, Value>& entries,
                                    const std::string& root) {
  std::map<std::string, Value> cut;
  std::erase_if(entries, [&](const auto& entry) {
    if (entry.first != root && !IsBelow(entry.first, root)) return false;
    cut.insert(entry);
    return true;
  });
  return cut;
}

template <class Value>
void Move(std::map<std::string, Value>& entries,
          const std::string& source,
          const std::string& target) {
  for (auto& [path, value] : CutOff(entries, source))
    entries[target + path.substr(source.size())] = value;
}

template <class Value>
void Take(const std::optional<Value>& change, std::optional<Value>& value) {
  if (change.has_value()) value = change;
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

size_t TreeModel::NamesToMake(const std::string& path) const {
  size_t names = 0;
  for (std::string missing = path; missing.size() > root_.size() && !entries_.contains(missing);
       missing = ParentOf(missing))
    ++names;
  return names;
}

bool TreeModel::HasRoomFor(size_t names) const {
  const uint64_t names_max = FindAttributes(root_).names_max.value_or(0);
  return names == 0 || names_max == 0 || entries_.size() + names <= names_max;
}

bool TreeModel::HasNoSpace() const {
  return FindAttributes(root_).space_max_bytes == kNoSpace;
}

void TreeModel::SetContent(const std::string& path, Content content) {
  entries_[path] = std::move(content);
  Touch(path);
}

void TreeModel::Touch(const std::string& path) {
  if (auto found = attributes_.find(path); found != attributes_.end()) {
    found->second.modified_at_ms.reset();
  }
}

Attributes TreeModel::FindAttributes(const std::string& path) const {
  auto found = attributes_.find(path);
  return found == attributes_.end() ? Attributes() : found->second;
}

bool TreeModel::Put(const std::string& path, const Content& content, bool replace) {
  if (IsDirectory(path) || (IsFile(path) && !replace)) return false;
  if (HasNoSpace() || !HasRoomFor(NamesToMake(path)) || !MakeParents(path)) return false;
  attributes_.erase(path);
  entries_[path] = content;
  return true;
}

bool TreeModel::MakeDirectory(const std::string& path) {
  if (entries_.contains(path) || !IsDirectory(ParentOf(path)) || !HasRoomFor(1)) return false;
  entries_[path] = nullptr;
  return true;
}

bool TreeModel::Delete(const std::string& path, bool is_recursive) {
  if (!entries_.contains(path)) return false;
  if (IsDirectory(path) && !is_recursive && !IsEmpty(path)) return false;
  (void)CutOff(entries_, path);
  (void)CutOff(attributes_, path);
  return true;
}

bool TreeModel::Rename(const std::string& source, const std::string& target, bool replace) {
  if (!entries_.contains(source) || !IsDirectory(ParentOf(target))) return false;
  if (source == target || IsBelow(target, source)) return false;
  if (entries_.contains(target)) {
    if (!replace || IsFile(source) != IsFile(target)) return false;
    if (IsDirectory(target) && !IsEmpty(target)) return false;
    entries_.erase(target);
    attributes_.erase(target);
  }
  Move(entries_, source, target);
  Move(attributes_, source, target);
  return true;
}

bool TreeModel::Truncate(const std::string& path, size_t length_bytes) {
  const Content content = Find(path);
  if (content == nullptr || length_bytes > content->size()) return false;
  if (length_bytes == content->size()) return true;
  SetContent(path, std::make_shared<const std::string>(content->substr(0, length_bytes)));
  return true;
}

bool TreeModel::Append(const std::string& path, const std::string& more) {
  const Content content = Find(path);
  if (content == nullptr || HasNoSpace()) return false;
  SetContent(path, std::make_shared<const std::string>(*content + more));
  return true;
}

bool TreeModel::Concat(const std::string& target, const std::vector<std::string>& sources) {
  if (!IsFile(target)) return false;
  std::string joined = *Find(target);
  for (size_t i = 0; i < sources.size(); ++i) {
    const std::string& source = sources[i];
    const auto before = sources.begin() + static_cast<ptrdiff_t>(i);
    if (!IsFile(source) || source == target) return false;
    if (std::find(sources.begin(), before, source) != before) return false;
    joined += *Find(source);
  }
  for (const std::string& source : sources) {
    entries_.erase(source);
    attributes_.erase(source);
  }
  SetContent(target, std::make_shared<const std::string>(std::move(joined)));
  return true;
}

bool TreeModel::SetAttributes(const std::string& path, const Attributes& change, bool is_of_files) {
  if (!entries_.contains(path) || (is_of_files && !IsFile(path))) return false;
  Attributes& attributes = attributes_[path];
  Take(change.replication, attributes.replication);
  Take(change.mode, attributes.mode);
  Take(change.owner, attributes.owner);
  Take(change.modified_at_ms, attributes.modified_at_ms);
  Take(change.names_max, attributes.names_max);
  Take(change.space_max_bytes, attributes.space_max_bytes);
  return true;
}

}  // namespace slipstream::simulation
