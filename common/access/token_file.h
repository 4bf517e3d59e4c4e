#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/access/identity.h"
#include "common/fs/file_version.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"

namespace slipstream::access {

// TokenFile: the tokens that a server takes, out of a file that `slipstream certs --token` writes.
//
// Layout   a line for each: NAME ROLE DIGEST, the digest being the token's SHA-256 in hexadecimal,
//          so that the file is no use to whoever reads it. Role: read, write or admin. Empty lines
//          and those that begin with # are passed over.
// Reload   looked at again whenever a token is asked for; what cannot be
//          read, or has a bad line, leaves the tokens as they were, with a warning.
// Threads  thread-safe. Reads the file under its lock, when it has changed.
class TokenFile final {
 public:
  // Errors: kNotFound, kInvalidArgument (a bad line, by number; never its content).
  static Result<std::unique_ptr<TokenFile>> Open(std::string path);

  // Whose it is; nothing where it is nobody's. Takes as long for any token.
  std::optional<Identity> Find(std::string_view token);

 private:
  struct Entry {
    std::string digest;  // 32 bytes
    Identity owner;
  };

  explicit TokenFile(std::string path) : path_(std::move(path)) {}

  Status Load() REQUIRES(mutex_);
  void LoadIfChanged() REQUIRES(mutex_);
  static Result<std::vector<Entry>> Parse(std::string_view text);

  const std::string path_;
  Mutex mutex_;
  std::vector<Entry> entries_ GUARDED_BY(mutex_);
  std::optional<FileVersion> version_ GUARDED_BY(mutex_);  // of the file as it was read last
};

}  // namespace slipstream::access
