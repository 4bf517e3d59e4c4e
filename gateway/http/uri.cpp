#include "gateway/http/uri.h"

#include <algorithm>

#include "common/text/hex.h"
#include "gateway/http/message.h"

namespace slipstream::gateway::http {
namespace {

constexpr size_t kHostBytesMax = 260;

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string Encode(std::string_view text, std::string_view also_plain) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (IsAlphanumeric(c) || std::string_view("-._~").find(c) != std::string_view::npos ||
        also_plain.find(c) != std::string_view::npos) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4U];
    encoded += kDigits[byte & 0xfU];
  }
  return encoded;
}

}  // namespace

Result<std::string> PercentDecode(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::kIsSpace) {
      decoded += ' ';
      continue;
    }
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const auto high = text.size() - i > 2 ? HexDigit(text[i + 1]) : std::nullopt;
    const auto low = text.size() - i > 2 ? HexDigit(text[i + 2]) : std::nullopt;
    if (!high.has_value() || !low.has_value()) {
      return InvalidArgument("a '%' without two hexadecimal digits");
    }
    decoded += static_cast<char>((*high << 4U) | *low);
    i += 2;
  }
  return decoded;
}

std::string EncodePath(std::string_view path) {
  return Encode(path, "/");
}

std::string EncodeComponent(std::string_view text) {
  return Encode(text, "");
}

Result<Query> ParseQuery(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), piece.size() + 1));
    if (piece.empty()) continue;
    if (query.size() == kQueryParametersMax) return InvalidArgument("too many query parameters");
    const size_t equals = std::min(piece.find('='), piece.size());
    ASSIGN_OR_RETURN(std::string name, PercentDecode(piece.substr(0, equals), Plus::kIsSpace));
    ASSIGN_OR_RETURN(
        std::string value,
        PercentDecode(piece.substr(std::min(equals + 1, piece.size())), Plus::kIsSpace));
    query.emplace_back(std::move(name), std::move(value));
  }
  return query;
}

std::optional<std::string> ParameterOf(const Query& query, std::string_view name) {
  const auto found = std::find_if(query.begin(), query.end(), [&](const auto& parameter) {
    return EqualWithoutCase(parameter.first, name);
  });
  if (found == query.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::string EncodeQuery(const Query& query) {
  std::string text;
  for (const auto& [name, value] : query) {
    if (!text.empty()) text += '&';
    text += EncodeComponent(name) + "=" + EncodeComponent(value);
  }
  return text;
}

bool IsHost(std::string_view text) {
  return !text.empty() && text.size() <= kHostBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsAlphanumeric(c) || std::string_view("-._:[]").find(c) != std::string_view::npos;
         });
}

}  // namespace slipstream::gateway::http
