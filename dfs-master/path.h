#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"

namespace slipstream::dfs::master {

constexpr size_t kNameBytesMax = 255;
constexpr size_t kPathBytesMax = 4096;

// An absolute path, split: "/a/b" is {"a", "b"}, the root is empty.
using Path = std::vector<std::string>;

// Names are 1 to 255 bytes of UTF-8 without control characters, and neither "." nor "..". A path is
// at most 4096 bytes; nothing is normalised: "//", "/a/" and "/a/../b" are refused.
// Errors: kInvalidArgument.
Result<Path> ParsePath(std::string_view text);

// One name of it; `path` is named in the error.
Status CheckName(std::string_view name, std::string_view path);

std::string ToString(const Path& path);

// Names that writers give themselves: 1 to 255 bytes of UTF-8 without control characters.
Status CheckOwner(std::string_view owner);

// Owners and groups of files: up to 255 bytes of UTF-8 without control characters.
Status CheckPrincipal(std::string_view name);

// Well-formed UTF-8 (no overlong forms, no surrogates) without control characters.
bool IsPrintableUtf8(std::string_view text);

}  // namespace slipstream::dfs::master
