#include "common/access/token_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <spdlog/logger.h>

#include "common/log/log.h"
#include "common/text/hex.h"

namespace slipstream::access {
namespace {

constexpr size_t kDigestBytes = 32;
constexpr size_t kTokensMax = 10'000;
constexpr off_t kFileBytesMax = 4 << 20;
constexpr size_t kNameBytesMax = 255;

std::string Digest(std::string_view token) {
  std::string digest(kDigestBytes, '\0');
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int count = 0;
  EVP_Digest(token.data(), token.size(), bytes.data(), &count, EVP_sha256(), nullptr);
  std::copy_n(bytes.begin(), kDigestBytes, digest.begin());
  return digest;
}

std::optional<std::string> FromHex(std::string_view hex) {
  if (hex.size() != 2 * kDigestBytes) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const std::optional<unsigned> high = HexDigit(hex[i]);
    const std::optional<unsigned> low = HexDigit(hex[i + 1]);
    if (!high.has_value() || !low.has_value()) return std::nullopt;
    bytes.push_back(static_cast<char>(*high * 16 + *low));
  }
  return bytes;
}

// A name becomes the owner of files: what is one elsewhere.
bool IsName(std::string_view name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= kNameBytesMax && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), is_plain);
}

}  // namespace

Result<std::unique_ptr<TokenFile>> TokenFile::Open(std::string path) {
  std::unique_ptr<TokenFile> file(new TokenFile(std::move(path)));
  MutexLock lock(file->mutex_);
  RETURN_IF_ERROR(file->Load());
  return file;
}

Result<std::vector<TokenFile::Entry>> TokenFile::Parse(std::string_view text) {
  std::vector<Entry> entries;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    const std::vector<std::string> parts{std::istream_iterator<std::string>(words), {}};
    if (parts.empty() || parts.front().starts_with('#')) continue;
    const auto bad = [number](const char* why) {
      return InvalidArgument("line " + std::to_string(number) + ": " + why);
    };
    if (parts.size() != 3) return bad("not NAME ROLE DIGEST");
    const std::optional<Role> role = ParseRole(parts[1]);
    std::optional<std::string> digest = FromHex(parts[2]);
    if (!IsName(parts[0])) return bad("not a name");
    if (!role.has_value() || *role > Role::kAdmin)
      return bad("the role is not read, write or admin");
    if (!digest.has_value()) return bad("the digest is not 64 hexadecimal digits");
    if (entries.size() == kTokensMax) return bad("too many tokens");
    entries.push_back({.digest = std::move(*digest), .owner = {.name = parts[0], .role = *role}});
  }
  return entries;
}

Status TokenFile::Load() {
  version_ = VersionOf(path_);  // before it is read: what is written meanwhile is seen again
  struct stat about {};
  if (::stat(path_.c_str(), &about) != 0) return ErrnoStatus(errno, "tokens " + path_);
  if (!S_ISREG(about.st_mode) || about.st_size > kFileBytesMax) {
    return InvalidArgument("tokens " + path_ + ": no such file of tokens");
  }
  std::ifstream file(path_);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file.is_open() || file.bad()) {
    return Status(Code::kPermissionDenied, "tokens " + path_ + ": cannot be read");
  }
  Result<std::vector<Entry>> entries = Parse(text.str());
  if (!entries.ok()) return entries.status().WithContext("tokens " + path_);
  entries_ = std::move(*entries);
  return {};
}

void TokenFile::LoadIfChanged() {
  const std::optional<FileVersion> version = VersionOf(path_);
  // A file that is away is about to be replaced, or its disk is: nobody's token ends by that.
  if (!version.has_value() || version == version_) return;
  if (const Status status = Load(); !status.ok()) {
    log::Get("access")->warn("tokens_not_taken error={}", log::Quoted(status.ToString()));
    return;
  }
  log::Get("access")->info("tokens_taken count={}", entries_.size());
}

std::optional<Identity> TokenFile::Find(std::string_view token) {
  const std::string digest = Digest(token);
  MutexLock lock(mutex_);
  LoadIfChanged();
  const Entry* found = nullptr;
  // All are compared, each as a whole: how long it takes says nothing of how near a guess was.
  for (const Entry& entry : entries_) {
    if (CRYPTO_memcmp(entry.digest.data(), digest.data(), kDigestBytes) == 0) found = &entry;
  }
  if (found == nullptr) return std::nullopt;
  return found->owner;
}

}  // namespace slipstream::access
