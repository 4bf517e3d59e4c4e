#include "dfs-client/cli/session.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "dfs-client/cli/glob.h"
#include "dfs-client/path.h"

namespace slipstream::dfs::cli {
namespace {

bool IsMasterGone(const Status& status) {
  return status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded;
}

// The words people know; where there are none, our own.
std::string WordsFor(const std::string& shown, const Status& status) {
  switch (status.code()) {
    case Code::kNotFound:
      return fmt::format("`{}': No such file or directory", shown);
    case Code::kAlreadyExists:
      return fmt::format("`{}': File exists", shown);
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return status.message();
    default:
      return fmt::format("`{}': {}", shown, status.message());
  }
}

}  // namespace

void Session::Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void Session::Fail(const std::string& text) {
  has_failed_ = true;
  std::fflush(stdout);  // keeps both in order on a terminal
  fmt::print(stderr, "{}: {}\n", options_.verb, text);
}

void Session::Fail(const std::string& shown, const Status& status) {
  if (IsMasterGone(status)) is_master_gone_ = true;
  Fail(WordsFor(shown, status));
}

void Session::FailForMissingParent(const std::string& shown, const std::string& path) {
  Fail(fmt::format("`{}': No such file or directory: `dfs://{}{}'", shown, options_.master, path));
}

int Session::Finish() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) Fail("write error on standard output");
  return has_failed_ ? 1 : 0;
}

Result<std::string> Session::Resolve(const std::string& operand) const {
  std::string_view rest = operand;
  for (std::string_view scheme : {"dfs://", "hdfs://"}) {
    if (!rest.starts_with(scheme)) continue;
    rest.remove_prefix(scheme.size());
    const std::string_view authority = rest.substr(0, rest.find('/'));
    if (!authority.empty() && authority != options_.master) {
      return InvalidArgument(
          fmt::format("Wrong FS: {}, expected: dfs://{}", operand, options_.master));
    }
    rest.remove_prefix(authority.size());
    return NormalizePath(rest.empty() ? "/" : rest);
  }
  if (rest.starts_with('/')) return NormalizePath(rest);
  return NormalizePath(fmt::format("/user/{}/{}", options_.user, rest));
}

Result<Item> Session::Find(const std::string& operand) {
  ASSIGN_OR_RETURN(std::string path, Resolve(operand));
  ASSIGN_OR_RETURN(FileStatus status, client_.Stat(path));
  return Item{.shown = operand, .path = std::move(path), .status = std::move(status)};
}

Result<std::vector<Item>> Session::Children(const Item& directory) {
  ASSIGN_OR_RETURN(std::vector<FileStatus> entries, client_.ListAll(directory.path));
  std::vector<Item> items;
  items.reserve(entries.size());
  for (FileStatus& entry : entries) {
    Item& item = items.emplace_back();
    item.shown = directory.shown.empty() ? entry.name : JoinPath(directory.shown, entry.name);
    item.path = JoinPath(directory.path, entry.name);
    item.status = std::move(entry);
  }
  return items;
}

// What `name`, a name or a pattern, stands for in one directory; nothing where there is no match.
Result<std::vector<Item>> Session::Matches(const Item& directory, const std::string& name) {
  std::vector<Item> out;
  if (directory.status.kind != FileKind::kDirectory) return out;
  if (HasGlob(name)) {
    auto children = Children(directory);
    if (children.status().code() == Code::kNotFound) return out;
    RETURN_IF_ERROR(children.status());
    std::copy_if(
        children->begin(), children->end(), std::back_inserter(out), [&](const Item& child) {
          return GlobMatches(name, child.status.name);
        });
    return out;
  }
  Item item{.shown = directory.shown.empty() ? name : JoinPath(directory.shown, name),
            .path = JoinPath(directory.path, name),
            .status = {}};
  auto status = client_.Stat(item.path);
  if (status.status().code() == Code::kNotFound) return out;
  RETURN_IF_ERROR(status.status());
  item.status = std::move(*status);
  out.push_back(std::move(item));
  return out;
}

// One pattern without alternatives, a name after the other.
Status Session::ExpandPattern(const std::string& text, std::vector<Item>& out) {
  std::string pattern = text;
  if (pattern.find("://") != std::string::npos) {
    ASSIGN_OR_RETURN(pattern, Resolve(text));
  }
  const bool is_absolute = pattern.starts_with('/');
  std::vector<Item> matched{{.shown = is_absolute ? "/" : "", .path = "", .status = {}}};
  ASSIGN_OR_RETURN(matched[0].path, Resolve(is_absolute ? "/" : "."));
  matched[0].status.kind = FileKind::kDirectory;

  for (size_t begin = 0; begin < pattern.size();) {
    const size_t end = std::min(pattern.find('/', begin), pattern.size());
    const std::string name = pattern.substr(begin, end - begin);
    begin = end + 1;
    if (name.empty()) continue;
    std::vector<Item> next;
    for (const Item& directory : matched) {
      ASSIGN_OR_RETURN(std::vector<Item> found, Matches(directory, name));
      std::move(found.begin(), found.end(), std::back_inserter(next));
    }
    matched = std::move(next);
  }
  std::move(matched.begin(), matched.end(), std::back_inserter(out));
  return {};
}

Result<std::vector<Item>> Session::Expand(const std::string& operand) {
  std::vector<Item> items;
  if (!HasGlob(operand)) {
    ASSIGN_OR_RETURN(Item item, Find(operand));
    items.push_back(std::move(item));
    return items;
  }
  for (const std::string& pattern : ExpandAlternatives(operand)) {
    if (HasGlob(pattern)) {
      RETURN_IF_ERROR(ExpandPattern(pattern, items));
    } else if (auto item = Find(pattern); item.ok()) {
      items.push_back(std::move(*item));
    } else if (item.status().code() != Code::kNotFound) {
      return item.status();
    }
  }
  if (items.empty()) return NotFound(operand);
  return items;
}

void Session::ForEach(std::span<const std::string> operands,
                      const std::function<void(const Item&)>& work) {
  ForEachOperand(operands, Missing::kFail, work);
}

void Session::ForEachThatExists(std::span<const std::string> operands,
                                const std::function<void(const Item&)>& work) {
  ForEachOperand(operands, Missing::kPassOver, work);
}

void Session::ForEachOperand(std::span<const std::string> operands,
                             Missing missing,
                             const std::function<void(const Item&)>& work) {
  for (const std::string& operand : operands) {
    if (is_master_gone_) return;
    auto items = Expand(operand);
    if (!items.ok()) {
      const bool is_missing = items.status().code() == Code::kNotFound;
      if (!is_missing || missing == Missing::kFail) Fail(operand, items.status());
      continue;
    }
    for (const Item& item : *items) {
      if (is_master_gone_) return;
      work(item);
    }
  }
}

bool Session::Walk(const Item& root, const std::function<void(const Item&)>& work) {
  work(root);
  if (root.status.kind != FileKind::kDirectory) return true;
  auto children = Children(root);
  if (!children.ok()) {
    // Deleted since its parent was listed: as if it had never been seen.
    if (children.status().code() == Code::kNotFound) return true;
    Fail(root.shown, children.status());
    return false;
  }
  for (const Item& child : *children) {
    if (!Walk(child, work)) return false;
  }
  return true;
}

}  // namespace slipstream::dfs::cli
