#include "dfs-client/cli/destination.h"

#include <fmt/format.h>

#include "dfs-client/cli/glob.h"
#include "dfs-client/path.h"

namespace slipstream::dfs::cli {
namespace {

namespace fs = std::filesystem;

// Whether the operand says that it is a directory: "x/", ".", "..". Then its parent is no help.
bool NamesDirectory(const std::string& operand) {
  const std::string name = operand.substr(operand.rfind('/') + 1);
  return name.empty() || name == "." || name == "..";
}

}  // namespace

std::string ChildShown(const std::string& directory, const std::string& name) {
  if (directory == ".") return name;
  return directory.ends_with('/') ? directory + name : directory + "/" + name;
}

std::string Destination::PathFor(const std::string& name) const {
  return is_directory() ? JoinPath(path, name) : path;
}

std::string Destination::ShownFor(const std::string& name) const {
  return is_directory() ? ChildShown(shown, name) : shown;
}

std::optional<Destination> RemoteDestination(Session& session, const std::string& operand) {
  auto items = session.Expand(operand);
  if (items.ok() && items->size() > 1) {
    session.Fail(fmt::format("`{}': Too many matches", operand));
    return std::nullopt;
  }
  if (items.ok()) {
    const Item& item = items->front();
    return Destination{
        .shown = item.shown,
        .path = item.path,
        .kind = IsDirectory(item) ? Destination::Kind::kDirectory : Destination::Kind::kFile,
        .has_parent = true,
        .full_name = session.Uri(item.path)};
  }
  auto path = session.Resolve(operand);
  if (items.status().code() != Code::kNotFound || !path.ok()) {
    session.Fail(operand, items.status());
    return std::nullopt;
  }
  auto parent = session.client().Stat(std::string(ParentPath(*path)));
  if (!parent.ok() && parent.status().code() != Code::kNotFound) {
    session.Fail(operand, parent.status());
    return std::nullopt;
  }
  return Destination{.shown = operand,
                     .path = *path,
                     .has_parent = parent.ok() && !NamesDirectory(operand),
                     .full_name = session.Uri(*path)};
}

Destination LocalDestination(const std::string& operand) {
  std::error_code error;
  const fs::file_status status = fs::status(operand, error);
  const fs::path absolute = fs::absolute(operand, error).lexically_normal();
  Destination destination{
      .shown = operand, .path = operand, .full_name = "file:" + absolute.string()};
  if (fs::is_directory(status)) {
    destination.kind = Destination::Kind::kDirectory;
  } else if (fs::exists(status)) {
    destination.kind = Destination::Kind::kFile;
  }
  destination.has_parent = fs::exists(status) || (!NamesDirectory(operand) &&
                                                  fs::is_directory(absolute.parent_path(), error));
  return destination;
}

bool CheckDestination(Session& session,
                      const Destination& destination,
                      size_t sources,
                      Existing existing) {
  using Kind = Destination::Kind;
  if (sources > 1 && destination.kind == Kind::kMissing) {
    session.Fail(fmt::format("`{}': No such file or directory", destination.shown));
    return false;
  }
  if (sources > 1 && destination.kind == Kind::kFile) {
    session.Fail(fmt::format("`{}': Is not a directory", destination.shown));
    return false;
  }
  if (destination.kind == Kind::kFile && existing == Existing::kRefuse) {
    session.Fail(fmt::format("`{}': File exists", destination.shown));
    return false;
  }
  if (destination.kind == Kind::kMissing && !destination.has_parent) {
    session.Fail(fmt::format(
        "`{}': No such file or directory: `{}'", destination.shown, destination.full_name));
    return false;
  }
  return true;
}

std::vector<Source> ExpandSources(Session& session, std::span<const std::string> operands) {
  std::vector<Source> sources;
  for (const std::string& operand : operands) {
    if (session.is_master_gone()) break;
    auto items = session.Expand(operand);
    if (items.ok()) {
      for (Item& item : *items) {
        std::string shown = item.shown;
        sources.push_back({.shown = std::move(shown), .item = std::move(item)});
      }
    } else if (items.status().code() == Code::kNotFound && !HasGlob(operand)) {
      sources.push_back({.shown = operand, .item = std::nullopt});
    } else {
      session.Fail(operand, items.status());
    }
  }
  return sources;
}

CopyOperands SplitOperands(const std::vector<std::string>& operands) {
  if (operands.size() < 2) return {.sources = operands, .destination = "."};
  return {.sources = {operands.begin(), operands.end() - 1}, .destination = operands.back()};
}

}  // namespace slipstream::dfs::cli
