#pragma once

#include <optional>
#include <string>

#include "common/fs/file_version.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"

namespace slipstream::access {

// BearerToken: a client's own token, out of a file that holds nothing else, and is read again when
// it changes.
// Threads  thread-safe. Reads the file under its lock, when it has changed.
class BearerToken final {
 public:
  // An empty path: there is none.
  explicit BearerToken(std::string path) : path_(std::move(path)) {}

  // As it is now; empty where there is no file, or none that can be read.
  std::string Get();

  // Whether the file can be used. Errors: kNotFound, kPermissionDenied (not readable, or everybody
  // may read it), kInvalidArgument (no token in it).
  static Status Check(const std::string& path);

 private:
  static Result<std::string> Read(const std::string& path);

  const std::string path_;
  Mutex mutex_;
  std::optional<FileVersion> version_ GUARDED_BY(mutex_);
  std::string token_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::access
