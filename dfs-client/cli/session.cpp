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

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 255;

// How `path` is named from `home`: "." for itself, "../x" for what is beside it.
std::string RelativePath(const std::string& home, const std::string& path) {
  if (path == home) return ".";
  std::string_view common = home;
  std::string up;
  while (common != "/" && !path.starts_with(std::string(common) + "/")) {
    if (path == common) return up.substr(0, up.size() - 1);
    common = ParentPath(common);
    up += "../";
  }
  return up + path.substr(common == "/" ? 1 : common.size() + 1);
}

// "hdfs://HOST:PORT" of "hdfs://HOST:PORT/x", "hdfs://" of "hdfs:///x", else empty.
std::string_view SchemeAndAuthority(std::string_view operand) {
  for (std::string_view scheme : {"hdfs://", "dfs://"}) {
    if (operand.starts_with(scheme)) return operand.substr(0, operand.find('/', scheme.size()));
  }
  return {};
}

// The message of a quota names the directory that has it; whoever passed it on stands before it.
std::string QuotaSentence(const std::string& message) {
  for (std::string_view begin : {"The NameSpace quota", "The DiskSpace quota"}) {
    if (const size_t at = message.find(begin); at != std::string::npos) return message.substr(at);
  }
  return message;
}

}  // namespace

bool IsMasterGone(const Status& status) {
  return status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded;
}

bool IsDirectory(const Item& item) {
  return item.status.kind == FileKind::kDirectory;
}

std::string WordsFor(const std::string& shown, const Status& status) {
  const std::string place = shown.empty() ? "" : fmt::format("`{}': ", shown);
  switch (status.code()) {
    case Code::kNotFound:
      return shown.empty() ? status.message() : place + "No such file or directory";
    case Code::kAlreadyExists:
      return shown.empty() ? status.message() : place + "File exists";
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return status.message();
    case Code::kResourceExhausted:
      return QuotaSentence(status.message());
    case Code::kFailedPrecondition:
      // A name on the way there is that of a file.
      if (status.message().starts_with("not a directory")) return place + "Is not a directory";
      break;
    default:
      break;
  }
  const std::string& message = status.message();
  // A message in the words of HDFS is a sentence of its own.
  if (!message.empty() && message.front() >= 'A' && message.front() <= 'Z') return message;
  return place + (message.empty() ? std::string(CodeName(status.code())) : message);
}

std::string Session::Uri(std::string_view path) const {
  return fmt::format("hdfs://{}{}", options_.master, path);
}

void Session::Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void Session::Flush() {
  std::fflush(stdout);
}

void Session::Warn(const std::string& text) {
  std::fflush(stdout);  // keeps both in order on a terminal
  fmt::print(stderr, "{}\n", text);
}

void Session::Fail(const std::string& text) {
  has_failed_ = true;
  Warn(fmt::format("{}: {}", options_.verb, text));
}

void Session::Fail(const std::string& shown, const Status& status) {
  Fail(WordsFor(shown, status));
  if (!IsMasterGone(status) || std::exchange(is_master_gone_, true)) return;
  if (status.message().starts_with("master ")) {
    Warn(fmt::format("Is dfs-master running, and {} its address? See --master and DFS_MASTER.",
                     options_.master));
  }
}

void Session::FailForMissingParent(const std::string& shown, const std::string& path) {
  Fail(fmt::format("`{}': No such file or directory: `{}'", shown, Uri(path)));
}

void Session::FailUsage(const std::string& text) {
  Warn(fmt::format("{}: {}\n{}", options_.typed, text, options_.usage));
  exit_code_ = kExitUsage;
}

int Session::Finish() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) Fail("write error on standard output");
  if (exit_code_.has_value()) return *exit_code_;
  return has_failed_ ? kExitFailed : 0;
}

Result<std::string> Session::Resolve(const std::string& operand) const {
  const std::string_view prefix = SchemeAndAuthority(operand);
  if (!prefix.empty()) {
    const std::string_view authority = prefix.substr(prefix.find("//") + 2);
    if (!authority.empty() && authority != options_.master) {
      return InvalidArgument(fmt::format("Wrong FS: {}, expected: {}", operand, Uri("")));
    }
    const std::string_view rest = std::string_view(operand).substr(prefix.size());
    return NormalizePath(rest.empty() ? "/" : rest);
  }
  if (operand.empty()) {
    return InvalidArgument("Can not create a Path from an empty string");
  }
  if (operand.starts_with('/')) return NormalizePath(operand);
  return NormalizePath(fmt::format("{}/{}", home(), operand));
}

std::string Session::ShownFor(const std::string& operand, const std::string& path) const {
  if (const std::string_view prefix = SchemeAndAuthority(operand); !prefix.empty()) {
    return std::string(prefix) + path;
  }
  return operand.starts_with('/') ? path : RelativePath(home(), path);
}

Result<Item> Session::Find(const std::string& operand) {
  ASSIGN_OR_RETURN(std::string path, Resolve(operand));
  ASSIGN_OR_RETURN(FileStatus status, client_.Stat(path));
  std::string shown = ShownFor(operand, path);
  return Item{.shown = std::move(shown), .path = std::move(path), .status = std::move(status)};
}

Result<std::vector<Item>> Session::Children(const Item& directory) {
  ASSIGN_OR_RETURN(std::vector<FileStatus> entries, client_.ListAll(directory.path));
  const bool is_bare = directory.shown.empty() || directory.shown == ".";
  std::vector<Item> items;
  items.reserve(entries.size());
  for (FileStatus& entry : entries) {
    Item& item = items.emplace_back();
    item.shown = is_bare ? entry.name : JoinPath(directory.shown, entry.name);
    item.path = JoinPath(directory.path, entry.name);
    item.status = std::move(entry);
  }
  return items;
}

// What `name`, a name or a pattern, stands for in one directory; nothing where there is no match.
Result<std::vector<Item>> Session::Matches(const std::string& directory, const std::string& name) {
  std::vector<Item> out;
  if (!HasGlob(name)) {
    Item item{.shown = {}, .path = JoinPath(directory, name), .status = {}};
    auto status = client_.Stat(item.path);
    if (status.status().code() == Code::kNotFound) return out;
    RETURN_IF_ERROR(status.status());
    item.status = std::move(*status);
    out.push_back(std::move(item));
    return out;
  }
  auto entries = client_.ListAll(directory);
  if (entries.status().code() == Code::kNotFound) return out;
  RETURN_IF_ERROR(entries.status());
  for (FileStatus& entry : *entries) {
    if (!GlobMatches(name, entry.name)) continue;
    std::string path = JoinPath(directory, entry.name);
    out.push_back({.shown = {}, .path = std::move(path), .status = std::move(entry)});
  }
  return out;
}

// One pattern without alternatives, a name after the other.
Status Session::ExpandPattern(const std::string& text, std::vector<Item>& out) {
  ASSIGN_OR_RETURN(const std::string pattern, Resolve(text));
  std::vector<Item> matched{{.shown = {}, .path = "/", .status = {.kind = FileKind::kDirectory}}};
  for (size_t begin = 1; begin < pattern.size();) {
    const size_t end = std::min(pattern.find('/', begin), pattern.size());
    const std::string name = pattern.substr(begin, end - begin);
    begin = end + 1;
    std::vector<Item> next;
    for (const Item& directory : matched) {
      if (!IsDirectory(directory)) continue;
      ASSIGN_OR_RETURN(std::vector<Item> found, Matches(directory.path, name));
      std::move(found.begin(), found.end(), std::back_inserter(next));
    }
    matched = std::move(next);
  }
  for (Item& item : matched) {
    item.shown = ShownFor(text, item.path);
    out.push_back(std::move(item));
  }
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
