#include "common/fs/file_version.h"

#include <sys/stat.h>

namespace slipstream {

std::optional<FileVersion> VersionOf(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return std::nullopt;
  return FileVersion{.inode = about.st_ino, .changed_at = about.st_ctim};
}

}  // namespace slipstream
