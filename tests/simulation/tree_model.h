#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace slipstream::simulation {

// What a file holds. Shared between the versions of a tree and the history of a path.
using Content = std::shared_ptr<const std::string>;

// TreeModel: a part of the namespace as it must be: files by path with their content, directories
// with none. Every change says whether it is possible, and is carried out if it is.
class TreeModel final {
 public:
  // `root` is a directory that is there and stays.
  explicit TreeModel(std::string root) : root_(std::move(root)) { entries_[root_] = nullptr; }

  bool Put(const std::string& path, const Content& content, bool replace);
  bool MakeDirectory(const std::string& path);
  bool Delete(const std::string& path, bool is_recursive);
  bool Rename(const std::string& source, const std::string& target, bool replace);
  bool Truncate(const std::string& path, size_t length_bytes);
  bool Concat(const std::string& target, const std::vector<std::string>& sources);

  bool Contains(const std::string& path) const { return entries_.contains(path); }
  bool IsFile(const std::string& path) const;
  // Null where there is no such file.
  Content Find(const std::string& path) const;
  // By path; a directory has no content.
  const std::map<std::string, Content>& entries() const { return entries_; }

  // Whether both hold the same.
  friend bool operator==(const TreeModel& a, const TreeModel& b);

 private:
  bool IsDirectory(const std::string& path) const;
  bool IsEmpty(const std::string& directory) const;
  // Makes the parents of a path, if none of them is a file.
  bool MakeParents(const std::string& path);

  std::string root_;
  std::map<std::string, Content> entries_;
};

}  // namespace slipstream::simulation
