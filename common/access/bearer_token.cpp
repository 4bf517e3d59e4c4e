#include "common/access/bearer_token.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

namespace slipstream::access {
namespace {

constexpr size_t kTokenBytesMax = 4'096;

}  // namespace

Result<std::string> BearerToken::Read(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return ErrnoStatus(errno, "token " + path);
  if ((about.st_mode & S_IRWXO) != 0) {
    return Status(Code::kPermissionDenied,
                  path + " holds a token that everybody may read: chmod o= " + path);
  }
  std::ifstream file(path);
  std::string token(kTokenBytesMax + 1, '\0');
  file.read(token.data(), static_cast<std::streamsize>(token.size()));
  if (!file.is_open() || file.bad()) {
    return Status(Code::kPermissionDenied, "token " + path + ": cannot be read");
  }
  token.resize(static_cast<size_t>(file.gcount()));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r'))
    token.pop_back();
  const auto is_plain = [](char c) { return c > ' ' && c <= '~'; };
  if (token.empty() || token.size() > kTokenBytesMax ||
      !std::all_of(token.begin(), token.end(), is_plain)) {
    return InvalidArgument(path + " holds no token (`slipstream certs --token` prints one)");
  }
  return token;
}

Status BearerToken::Check(const std::string& path) {
  return Read(path).status();
}

std::string BearerToken::Get() {
  if (path_.empty()) return {};
  const std::optional<FileVersion> version = VersionOf(path_);
  MutexLock lock(mutex_);
  if (version == version_) return token_;
  version_ = version;
  token_ = version.has_value() ? Read(path_).value_or("") : "";
  return token_;
}

}  // namespace slipstream::access
