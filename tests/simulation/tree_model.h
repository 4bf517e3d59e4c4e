#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace slipstream::simulation {

// What a file holds. Shared between the versions of a tree and the history of a path.
using Content = std::shared_ptr<const std::string>;

// What was set of a file or directory, and how it has been since; absent: never, or changed by
// other things than users.
struct Attributes {
  std::optional<uint32_t> replication;
  std::optional<uint32_t> mode;
  std::optional<std::string> owner;
  std::optional<int64_t> modified_at_ms;
  std::optional<uint64_t> names_max;  // 0: no quota
  std::optional<uint64_t> space_max_bytes;

  friend bool operator==(const Attributes&, const Attributes&) = default;
};

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
  bool Append(const std::string& path, const std::string& more);
  bool Concat(const std::string& target, const std::vector<std::string>& sources);
  // Its time may have been set by something that is no change.
  void Touch(const std::string& path);
  // What is absent in `change` stays as it was. `is_of_files`: not of directories.
  bool SetAttributes(const std::string& path, const Attributes& change, bool is_of_files);

  // A quota of space is none, one that is never reached, or this: whatever has bytes is refused.
  static constexpr uint64_t kNoSpace = 1;
  bool HasNoSpace() const;

  bool Contains(const std::string& path) const { return entries_.contains(path); }
  bool IsFile(const std::string& path) const;
  // Null where there is no such file.
  Content Find(const std::string& path) const;
  Attributes FindAttributes(const std::string& path) const;
  // By path; a directory has no content.
  const std::map<std::string, Content>& entries() const { return entries_; }

 private:
  bool IsDirectory(const std::string& path) const;
  bool IsEmpty(const std::string& directory) const;
  // Makes the parents of a path, if none of them is a file.
  bool MakeParents(const std::string& path);
  // How many names are to be made for `path` to be there.
  size_t NamesToMake(const std::string& path) const;
  // Whether the quota allows so many more.
  bool HasRoomFor(size_t names) const;
  // Another content than before: what its time was set to is over.
  void SetContent(const std::string& path, Content content);

  std::string root_;
  std::map<std::string, Content> entries_;
  std::map<std::string, Attributes> attributes_;  // of those that have any
};

}  // namespace slipstream::simulation
