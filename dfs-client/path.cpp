#include "dfs-client/path.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace slipstream::dfs {
namespace {

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

Status BadPath(std::string_view path, std::string_view why) {
  // The path itself may be long or hold anything; the start of it is enough to recognise it.
  std::string shown(path.substr(0, 200));
  std::replace_if(shown.begin(), shown.end(), IsControl, '?');
  return InvalidArgument(fmt::format("path {}: {}", shown, why));
}

}  // namespace

Result<std::string> NormalizePath(std::string_view path) {
  if (path.empty() || path.front() != '/') return BadPath(path, "not absolute");
  if (path.size() > kPathBytesMax) return BadPath(path, "too long");
  if (std::any_of(path.begin(), path.end(), IsControl)) return BadPath(path, "control character");

  std::vector<std::string_view> names;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(name.size());
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      if (names.empty()) return BadPath("..", "above the root");
      names.pop_back();
      continue;
    }
    if (name.size() > kNameBytesMax) return BadPath(name, "name too long");
    names.push_back(name);
  }

  if (names.empty()) return std::string("/");
  std::string normal;
  for (std::string_view name : names)
    normal.append("/").append(name);
  return normal;
}

std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.ends_with('/')) path.push_back('/');
  return path.append(name);
}

std::string_view ParentPath(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? "/" : path.substr(0, slash);
}

std::string_view BaseName(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace slipstream::dfs
