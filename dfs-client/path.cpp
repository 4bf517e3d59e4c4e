#include "dfs-client/path.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace slipstream::dfs {
namespace {

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// How many bytes the character takes that `text` (not empty) begins with; 0 if that is none:
// overlong, a surrogate, too large, or cut off.
size_t CharacterBytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  const unsigned next = byte(1);
  if ((lead == 0xe0 && next < 0xa0) || (lead == 0xed && next > 0x9f)) return 0;
  if ((lead == 0xf0 && next < 0x90) || (lead == 0xf4 && next > 0x8f)) return 0;
  return length;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = CharacterBytes(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
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
  if (!IsUtf8(path)) return BadPath(path, "not UTF-8");

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
