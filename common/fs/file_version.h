#pragma once

#include <sys/types.h>

#include <ctime>
#include <optional>
#include <string>

namespace slipstream {

// A file as it was at some time, for whoever reads it again when it changes: a rename over it gives
// it another inode, a write another time.
struct FileVersion {
  ino_t inode = 0;
  timespec changed_at{};

  friend bool operator==(const FileVersion& a, const FileVersion& b) {
    return a.inode == b.inode && a.changed_at.tv_sec == b.changed_at.tv_sec &&
           a.changed_at.tv_nsec == b.changed_at.tv_nsec;
  }
};

// nullopt: there is none, or it cannot be looked at.
std::optional<FileVersion> VersionOf(const std::string& path);

}  // namespace slipstream
