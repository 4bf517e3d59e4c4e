#include "tests/simulation/tree_keeper.h"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "dfs-client/dfs_client.h"

namespace slipstream::simulation {
namespace {

constexpr Micros kLookPause{1'000'000};
constexpr int kLooksMax = 200;
// A master that was restarted gives every lease its time anew.
constexpr Micros kLeaseIsOverAfter{120'000'000};
// With retries, a message of an operation is not on the way longer than this after it has failed.
constexpr Micros kSettleTime = Network::kMessageLifeMax + Micros(2'000'000);

// Whether a path is the same in both.
bool IsSame(const TreeModel& a, const TreeModel& b, const std::string& path) {
  if (a.Contains(path) != b.Contains(path)) return false;
  const Content x = a.Find(path);
  const Content y = b.Find(path);
  const bool is_same_content = x == y || (x != nullptr && y != nullptr && *x == *y);
  return is_same_content && a.FindAttributes(path) == b.FindAttributes(path);
}

// Whether a file or directory is as it was set to be.
bool IsAsSet(const Attributes& set, const dfs::FileStatus& status) {
  const dfs::Quota quota = status.quota.value_or(dfs::Quota());
  return set.replication.value_or(status.replication) == status.replication &&
         set.mode.value_or(status.mode) == status.mode &&
         set.owner.value_or(status.owner) == status.owner &&
         set.modified_at_ms.value_or(status.modified_at_ms) == status.modified_at_ms &&
         set.names_max.value_or(quota.names_max) == quota.names_max &&
         set.space_max_bytes.value_or(quota.space_max_bytes) == quota.space_max_bytes;
}

}  // namespace

std::string Describe(const Content& content) {
  if (content == nullptr) return "no file";
  return fmt::format("{} bytes \"{}\"", content->size(), content->substr(0, content->find('>')));
}

Result<std::string> ReadAll(dfs::FileReader& reader) {
  std::string content;
  while (true) {
    ASSIGN_OR_RETURN(std::string chunk, reader.Next());
    if (chunk.empty()) return content;
    content += chunk;
  }
}

TreeKeeper::TreeKeeper(Stage& stage,
                       const std::string& name,
                       const std::string& root,
                       dfs::DfsClient& client)
    : stage_(stage), name_(name), root_(root), client_(client), tree_(root) {}

void TreeKeeper::LeaveToLease() {
  has_left_file_until_ = stage_.now() + kLeaseIsOverAfter;
}

bool TreeKeeper::MayBeRefused(Micros began) const {
  return stage_.now() < has_left_file_until_ || stage_.MayHaveBeenFrozenSince(began);
}

bool TreeKeeper::Do(const std::string& what,
                    const Change& change,
                    const std::function<Status()>& operation) {
  TreeModel after = tree_;
  const bool can = change(after);
  if (can) Publish(&after);
  stage_.scheduler().Note(name_ + " " + what);
  const Micros began = stage_.now();
  const Status status = operation();
  stage_.scheduler().Note(fmt::format("{} {}: {}", name_, what, status.ToString()));
  const bool may_be_refused = status.code() == Code::kFailedPrecondition && MayBeRefused(began);
  if (status.ok() && (!can || stage_.HasBeenFrozenSince(began))) {
    stage_.Fail(fmt::format("{}: {} succeeded and cannot", name_, what));
  } else if (status.ok()) {
    tree_ = std::move(after);
    stage_.Count();
  } else if (IsUncertain(status.code())) {
    if (can) Settle(what, after);
  } else if (can && !may_be_refused) {
    stage_.Fail(fmt::format("{}: {}: {}", name_, what, status.ToString()));
  } else {
    stage_.Count();
  }
  Publish(nullptr);
  return status.ok();
}

// ---- What he knows ----

void TreeKeeper::Publish(const TreeModel* other) {
  std::set<std::string> paths;
  for (const auto& [path, content] : tree_.entries())
    paths.insert(path);
  for (const std::string& path : stage_.history().paths()) {
    if (path.starts_with(root_ + "/")) paths.insert(path);
  }
  if (other != nullptr) {
    for (const auto& [path, content] : other->entries())
      paths.insert(path);
  }
  for (const std::string& path : paths) {
    std::vector<Content> possible = {tree_.Find(path)};
    if (other != nullptr) possible.push_back(other->Find(path));
    stage_.history().Set(path, possible, stage_.now());
  }
}

void TreeKeeper::Settle(const std::string& what, const TreeModel& after) {
  (void)stage_.scheduler().Sleep(kSettleTime);
  // One path that tells the two apart is enough: an operation happens as a whole.
  std::set<std::string> paths;
  for (const TreeModel* tree : {&std::as_const(tree_), &after}) {
    for (const auto& [path, content] : tree->entries())
      paths.insert(path);
  }
  for (const std::string& path : paths) {
    if (IsSame(tree_, after, path)) continue;
    std::optional<Seen> seen = Look(path);
    if (!seen.has_value()) return;
    const bool is_before = IsAs(tree_, path, *seen);
    const bool is_after = IsAs(after, path, *seen);
    if (!is_before && !is_after) {
      return stage_.Fail(fmt::format("{}: after {} with an unknown outcome, {} has {}",
                                     name_,
                                     what,
                                     path,
                                     Describe(seen->content)));
    }
    stage_.scheduler().Note(
        fmt::format("{} {} {}", name_, what, is_after ? "happened" : "did not"));
    if (is_after) tree_ = after;
    return;
  }
}

bool TreeKeeper::IsAs(const TreeModel& tree, const std::string& path, const Seen& seen) {
  if (!seen.status.has_value()) return !tree.Contains(path);
  if (!tree.Contains(path) || !IsAsSet(tree.FindAttributes(path), *seen.status)) return false;
  const Content content = tree.Find(path);
  if (content == nullptr || seen.content == nullptr) return content == seen.content;
  return *content == *seen.content;
}

std::optional<TreeKeeper::Seen> TreeKeeper::Look(const std::string& path) {
  for (int i = 0; i < kLooksMax && !stage_.scheduler().is_stopped(); ++i) {
    auto status = client_.Stat(path);
    if (status.status().code() == Code::kNotFound) return Seen();
    if (status.ok() && status->kind == dfs::FileKind::kDirectory) {
      return Seen{.status = std::move(*status)};
    }
    if (status.ok()) {
      auto reader = client_.OpenFile(path);
      Result<std::string> content = reader.ok() ? ReadAll(**reader) : reader.status();
      if (content.ok()) {
        return Seen{.status = std::move(*status),
                    .content = std::make_shared<const std::string>(std::move(*content))};
      }
    }
    (void)stage_.scheduler().Sleep(kLookPause);
  }
  if (stage_.violation().empty()) stage_.Fail(name_ + " cannot look at " + path);
  return std::nullopt;
}

void TreeKeeper::List() {
  auto entries = client_.ListAll(root_);
  if (!entries.ok()) {
    if (!IsUncertain(entries.status().code())) {
      stage_.Fail(fmt::format("{} cannot list: {}", name_, entries.status().ToString()));
    }
    return;
  }
  std::set<std::string> seen;
  for (const dfs::FileStatus& entry : *entries)
    seen.insert(root_ + "/" + entry.name);
  std::set<std::string> expected;
  for (const auto& [path, content] : tree_.entries()) {
    if (path != root_ && path.find('/', root_.size() + 1) == std::string::npos) {
      expected.insert(path);
    }
  }
  if (seen != expected) {
    return stage_.Fail(
        fmt::format("{} lists {} names, and {} are there", name_, seen.size(), expected.size()));
  }
  for (const dfs::FileStatus& entry : *entries) {
    const std::string path = root_ + "/" + entry.name;
    const Content content = tree_.Find(path);
    const bool is_right = IsAsSet(tree_.FindAttributes(path), entry) &&
                          entry.length_bytes == (content == nullptr ? 0 : content->size());
    if (!is_right) return stage_.Fail(fmt::format("{} lists {} as it is not", name_, path));
  }
  stage_.Count();
}

void TreeKeeper::CheckAll() {
  List();
  for (const auto& [path, content] : tree_.entries()) {
    if (stage_.scheduler().is_stopped()) return;
    if (content == nullptr) continue;
    auto reader = client_.OpenFile(path);
    Result<std::string> read = reader.ok() ? ReadAll(**reader) : reader.status();
    if (!read.ok()) {
      return stage_.Fail(fmt::format("{} is lost: {}", path, read.status().ToString()));
    }
    if (*read != *content) {
      return stage_.Fail(fmt::format("{} holds {} bytes \"{}\" and must hold {}",
                                     path,
                                     read->size(),
                                     read->substr(0, 20),
                                     Describe(content)));
    }
  }
}

}  // namespace slipstream::simulation
