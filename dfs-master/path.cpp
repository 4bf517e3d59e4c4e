#include "dfs-master/path.h"

#include "common/log/log.h"

namespace slipstream::dfs::master {
namespace {

// The length of the well-formed character `text` begins with and its code point; 0 if none.
size_t DecodeUtf8(std::string_view text, uint32_t& code_point) {
  auto first = static_cast<unsigned char>(text[0]);
  size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first >= 0x80 && first < 0xc2) return 0;  // a continuation, or an overlong form
  if (first > 0xf4 || length > text.size()) return 0;
  constexpr uint32_t kFirstMask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  code_point = first & kFirstMask[length];
  for (char c : text.substr(1, length - 1)) {
    auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80) return 0;
    code_point = (code_point << 6) | (byte & 0x3f);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  bool is_surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < kLeast[length] || code_point > 0x10ffff || is_surrogate) return 0;
  return length;
}

}  // namespace

Status CheckName(std::string_view name, std::string_view path) {
  const char* reason = nullptr;
  if (name.empty()) {
    reason = "empty name";
  } else if (name == "." || name == "..") {
    reason = "'.' or '..'";
  } else if (name.size() > kNameBytesMax) {
    reason = "a name of more than 255 bytes";
  } else if (!IsPrintableUtf8(name)) {
    reason = "not UTF-8, or a control character";
  }
  if (reason == nullptr) return {};
  return InvalidArgument("bad path=" + log::Quoted(path) + ": " + reason);
}

bool IsPrintableUtf8(std::string_view text) {
  while (!text.empty()) {
    uint32_t code_point = 0;
    size_t length = DecodeUtf8(text, code_point);
    bool is_control = code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
    if (length == 0 || is_control) return false;
    text.remove_prefix(length);
  }
  return true;
}

Result<Path> ParsePath(std::string_view text) {
  if (!text.starts_with('/')) {
    return InvalidArgument("bad path=" + log::Quoted(text) + ": not absolute");
  }
  if (text.size() > kPathBytesMax) {
    return InvalidArgument("bad path=" + log::Quoted(text) + ": more than 4096 bytes");
  }
  Path path;
  std::string_view rest = text.substr(1);
  if (rest.empty()) return path;
  while (true) {
    std::string_view name = rest.substr(0, rest.find('/'));
    RETURN_IF_ERROR(CheckName(name, text));
    path.emplace_back(name);
    if (name.size() == rest.size()) return path;
    rest.remove_prefix(name.size() + 1);
  }
}

std::string ToString(const Path& path) {
  if (path.empty()) return "/";
  std::string text;
  for (const std::string& name : path)
    text.append("/").append(name);
  return text;
}

Status CheckPrincipal(std::string_view name) {
  if (name.size() <= kNameBytesMax && IsPrintableUtf8(name)) return {};
  return InvalidArgument("bad owner or group=" + log::Quoted(name) +
                         ": wants up to 255 bytes of UTF-8 without control characters");
}

Status CheckOwner(std::string_view owner) {
  if (owner.empty() || owner.size() > kNameBytesMax || !IsPrintableUtf8(owner)) {
    return InvalidArgument("bad owner=" + log::Quoted(owner) +
                           ": wants 1 to 255 bytes of UTF-8 without control characters");
  }
  return {};
}

}  // namespace slipstream::dfs::master
