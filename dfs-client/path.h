#pragma once

#include <string>
#include <string_view>

#include "common/status/status.h"

// Paths of the file system: absolute, `/` between names, no trailing `/` but for the root itself.

namespace slipstream::dfs {

inline constexpr size_t kNameBytesMax = 255;
inline constexpr size_t kPathBytesMax = 8000;

// The one spelling of an absolute path: doubled slashes, `.` and `..` resolved by the text alone
// (there are no links). kInvalidArgument for a relative path, a name over kNameBytesMax, a control
// character, what is not UTF-8, or `..` above the root. The master checks names again.
Result<std::string> NormalizePath(std::string_view path);

// "/a" and "b" make "/a/b".
std::string JoinPath(std::string_view directory, std::string_view name);

// Of a normal path. The parent of "/" is "/", its name is empty.
std::string_view ParentPath(std::string_view path);
std::string_view BaseName(std::string_view path);

}  // namespace slipstream::dfs
