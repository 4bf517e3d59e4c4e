#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "common/text/base64.h"
#include "processor/expr/function_table.h"
#include "processor/expr/type_rules.h"
#include "processor/types/number_text.h"
#include "processor/types/utf8.h"

// Text in other clothes: TO_BASE64, FROM_BASE64, BIN, UNHEX, ENCODE, DECODE, URL_ENCODE,
// URL_DECODE, PARSE_URL. What is not of the form that is asked for is NULL.

namespace slipstream::sql {
namespace {

using Param = FunctionTable::Param;

// Rows for which `convert` gives nullopt are NULL.
template <class Convert>
void EachText(const KernelCall& call, Column& out, Convert convert) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const std::optional<std::string> text = convert(row);
    if (text) {
      out.strings[row] = call.arena.Copy(*text);
    } else {
      out.SetNull(row);
    }
  }
}

void ToBase64Kernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string> {
    return EncodeBase64(call.args[0].string_at(row));
  });
}

void FromBase64Kernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) { return DecodeBase64(call.args[0].string_at(row)); });
}

void BinKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string> {
    auto number = static_cast<uint64_t>(call.args[0].int_at(row));
    std::string digits;
    do {
      digits.push_back((number & 1) != 0 ? '1' : '0');
      number >>= 1;
    } while (number > 0);
    std::reverse(digits.begin(), digits.end());
    return digits;
  });
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Of an odd number of digits a zero byte stands for the first one.
void UnhexKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string> {
    std::string_view digits = call.args[0].string_at(row);
    if (std::any_of(digits.begin(), digits.end(), [](char c) { return HexDigit(c) < 0; })) {
      return std::nullopt;
    }
    std::string bytes;
    if (digits.size() % 2 != 0) {
      bytes.push_back('\0');
      digits.remove_prefix(1);
    }
    for (size_t i = 0; i < digits.size(); i += 2)
      bytes.push_back(static_cast<char>(HexDigit(digits[i]) * 16 + HexDigit(digits[i + 1])));
    return bytes;
  });
}

// ---- Character sets ----

enum class Charset : uint8_t { kAscii, kLatin1, kUtf8, kUtf16, kUtf16Be, kUtf16Le };

std::optional<Charset> CharsetOf(std::string_view name) {
  struct Known {
    std::string_view name;
    Charset charset;
  };
  constexpr std::array kKnown = std::to_array<Known>({{"US-ASCII", Charset::kAscii},
                                                      {"ISO-8859-1", Charset::kLatin1},
                                                      {"UTF-8", Charset::kUtf8},
                                                      {"UTF-16", Charset::kUtf16},
                                                      {"UTF-16BE", Charset::kUtf16Be},
                                                      {"UTF-16LE", Charset::kUtf16Le}});
  for (const Known& known : kKnown) {
    if (EqualsIgnoreCase(name, known.name)) return known.charset;
  }
  return std::nullopt;
}

constexpr uint32_t kByteOrderMark = 0xFEFF;
constexpr uint32_t kReplacement = 0xFFFD;

void AppendUnit(uint32_t unit, Charset charset, std::string& to) {
  const char high = static_cast<char>(unit >> 8);
  const char low = static_cast<char>(unit & 0xFF);
  const bool is_little = charset == Charset::kUtf16Le;
  to.push_back(is_little ? low : high);
  to.push_back(is_little ? high : low);
}

// The code point at the front of valid text, which is cut off.
uint32_t TakeCodePoint(std::string_view& text) {
  const std::string_view bytes = text.substr(0, CharacterBytes(text));
  text.remove_prefix(bytes.size());
  const auto lead = static_cast<uint8_t>(bytes.front());
  if (bytes.size() == 1) return lead < 0x80 ? lead : kReplacement;
  uint32_t code_point = lead & (0xFFU >> (bytes.size() + 1));
  for (const char c : bytes.substr(1))
    code_point = (code_point << 6) | (static_cast<uint8_t>(c) & 0x3F);
  return code_point;
}

// What the character set has not becomes '?'; UTF-16 begins with the byte order mark.
std::string Encode(std::string_view text, Charset charset) {
  if (charset == Charset::kUtf8) return std::string(text);
  std::string bytes;
  if (charset == Charset::kUtf16) AppendUnit(kByteOrderMark, charset, bytes);
  while (!text.empty()) {
    const uint32_t code_point = TakeCodePoint(text);
    if (charset == Charset::kAscii || charset == Charset::kLatin1) {
      const uint32_t limit = charset == Charset::kAscii ? 0x80 : 0x100;
      bytes.push_back(code_point < limit ? static_cast<char>(code_point) : '?');
    } else if (code_point < 0x10000) {
      AppendUnit(code_point, charset, bytes);
    } else {
      AppendUnit(0xD800 + ((code_point - 0x10000) >> 10), charset, bytes);
      AppendUnit(0xDC00 + ((code_point - 0x10000) & 0x3FF), charset, bytes);
    }
  }
  return bytes;
}

std::string DecodeUtf16(std::string_view bytes, Charset charset) {
  bool is_little = charset == Charset::kUtf16Le;
  const auto unit_at = [&](size_t i) {
    const auto first = static_cast<uint8_t>(bytes[i]);
    const auto second = static_cast<uint8_t>(bytes[i + 1]);
    return static_cast<uint32_t>(is_little ? second << 8 | first : first << 8 | second);
  };
  size_t at = 0;
  if (charset == Charset::kUtf16 && bytes.size() >= 2) {
    is_little = unit_at(0) == 0xFFFE;
    if (is_little || unit_at(0) == kByteOrderMark) at = 2;
  }
  std::string text;
  for (; at + 1 < bytes.size(); at += 2) {
    uint32_t code_point = unit_at(at);
    if (code_point >= 0xD800 && code_point < 0xDC00 && at + 3 < bytes.size()) {
      const uint32_t low = unit_at(at + 2);
      if (low >= 0xDC00 && low < 0xE000) {
        code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
        at += 2;
      }
    }
    AppendUtf8(text, code_point);
  }
  if (at < bytes.size()) AppendUtf8(text, kReplacement);
  return text;
}

std::string Decode(std::string_view bytes, Charset charset) {
  std::string text;
  switch (charset) {
    case Charset::kUtf8:
      while (!bytes.empty())
        AppendUtf8(text, TakeCodePoint(bytes));
      return text;
    case Charset::kAscii:
    case Charset::kLatin1:
      for (const char byte : bytes) {
        const uint32_t code_point = static_cast<uint8_t>(byte);
        AppendUtf8(text,
                   charset == Charset::kAscii && code_point >= 0x80 ? kReplacement : code_point);
      }
      return text;
    default:
      return DecodeUtf16(bytes, charset);
  }
}

template <std::string (*kConvert)(std::string_view, Charset)>
void CharsetKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const std::optional<Charset> charset = CharsetOf(call.args[1].string_at(row));
    if (charset) {
      out.strings[row] = call.arena.Copy(kConvert(call.args[0].string_at(row), *charset));
      continue;
    }
    out.SetNull(row);
    call.errors.Add(row,
                    "no character set '" + std::string(call.args[1].string_at(row)) +
                        "'; there are US-ASCII, ISO-8859-1, UTF-8, UTF-16, UTF-16BE and UTF-16LE");
  }
}

// ---- URLs ----

// As forms are encoded: a blank is a plus sign.
void UrlEncodeKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string> {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : call.args[0].string_at(row)) {
      const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                            (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '*' || c == '_';
      if (is_plain) {
        encoded.push_back(c);
      } else if (c == ' ') {
        encoded.push_back('+');
      } else {
        encoded.push_back('%');
        encoded.push_back(kHex[static_cast<uint8_t>(c) >> 4]);
        encoded.push_back(kHex[static_cast<uint8_t>(c) & 15]);
      }
    }
    return encoded;
  });
}

void UrlDecodeKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string> {
    const std::string_view encoded = call.args[0].string_at(row);
    std::string decoded;
    for (size_t i = 0; i < encoded.size(); ++i) {
      if (encoded[i] != '%') {
        decoded.push_back(encoded[i] == '+' ? ' ' : encoded[i]);
        continue;
      }
      if (i + 2 >= encoded.size()) return std::nullopt;
      const int high = HexDigit(encoded[i + 1]);
      const int low = HexDigit(encoded[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
    return decoded;
  });
}

using Part = std::optional<std::string_view>;

// Url: the parts of protocol://user@host:port/path?query#ref, as they stand.
struct Url {
  std::string_view protocol;
  Part authority;
  std::string_view path;
  Part query;
  Part ref;

  // nullopt: it is none, or of a protocol that Java does not know by itself.
  static std::optional<Url> Parse(std::string_view text) {
    constexpr std::array kProtocols =
        std::to_array<std::string_view>({"http", "https", "ftp", "file", "jar", "mailto"});
    Url url;
    text = TrimBlanks(text);
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    url.protocol = text.substr(0, colon);
    if (std::none_of(kProtocols.begin(), kProtocols.end(), [&](std::string_view known) {
          return EqualsIgnoreCase(url.protocol, known);
        })) {
      return std::nullopt;
    }
    text.remove_prefix(colon + 1);
    url.ref = CutBehind(text, '#');
    url.query = CutBehind(text, '?');
    if (text.starts_with("//")) {
      text.remove_prefix(2);
      const size_t end = std::min(text.find('/'), text.size());
      url.authority = text.substr(0, end);
      text.remove_prefix(end);
    }
    url.path = text;
    return url;
  }

  Part user() const {
    if (!authority) return std::nullopt;
    const size_t at = authority->rfind('@');
    if (at == std::string_view::npos) return std::nullopt;
    return authority->substr(0, at);
  }
  std::string_view host() const {
    std::string_view host = authority.value_or("");
    host.remove_prefix(user() ? user()->size() + 1 : 0);
    if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
    return host.substr(0, host.find(':'));
  }

 private:
  // Cuts off what begins with the mark, and gives what is behind that.
  static Part CutBehind(std::string_view& text, char mark) {
    const size_t found = text.find(mark);
    if (found == std::string_view::npos) return std::nullopt;
    const std::string_view behind = text.substr(found + 1);
    text = text.substr(0, found);
    return behind;
  }
};

// The value of the first `key=value` between the &s.
Part QueryValue(std::string_view query, std::string_view key) {
  while (true) {
    const std::string_view pair = query.substr(0, query.find('&'));
    if (pair.starts_with(key) && pair.substr(key.size()).starts_with('=')) {
      return pair.substr(key.size() + 1);
    }
    if (pair.size() == query.size()) return std::nullopt;
    query.remove_prefix(pair.size() + 1);
  }
}

std::optional<std::string> UrlPart(const Url& url, std::string_view part) {
  const auto text = [](Part value) -> std::optional<std::string> {
    if (!value) return std::nullopt;
    return std::string(*value);
  };
  if (part == "HOST") return std::string(url.host());
  if (part == "PATH") return std::string(url.path);
  if (part == "QUERY") return text(url.query);
  if (part == "REF") return text(url.ref);
  if (part == "PROTOCOL") return std::string(url.protocol);
  if (part == "AUTHORITY") return text(url.authority);
  if (part == "USERINFO") return text(url.user());
  if (part == "FILE") {
    std::string file(url.path);
    if (url.query) file.append("?").append(*url.query);
    return file;
  }
  return std::nullopt;
}

void ParseUrlKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string> {
    const std::optional<Url> url = Url::Parse(call.args[0].string_at(row));
    if (!url) return std::nullopt;
    const std::string_view part = call.args[1].string_at(row);
    if (call.args.size() < 3) return UrlPart(*url, part);
    if (part != "QUERY" || !url->query) return std::nullopt;
    const Part value = QueryValue(*url->query, call.args[2].string_at(row));
    if (!value) return std::nullopt;
    return std::string(*value);
  });
}

// Of bytes and a text.
void AddOfBytes(FunctionTable& table, const char* name, const DataType& result, Kernel kernel) {
  ScalarFunction function{.name = name, .usage = std::string(name) + "(BYTES, STRING)"};
  function.bind =
      [result](std::span<const ExpressionPtr> args) -> std::optional<ScalarFunction::Signature> {
    if (args.size() != 2 || !FitParam(Param::kString, args[1]->type)) return std::nullopt;
    const DataType& bytes = args[0]->type;
    if (!bytes.is_binary() && bytes.kind != TypeKind::kNull) return std::nullopt;
    return ScalarFunction::Signature{.args = {bytes, DataType::String()}, .result = result};
  };
  function.kernel = kernel;
  table.Add(std::move(function));
}

}  // namespace

void AddEncodingFunctions(FunctionTable& table) {
  const DataType text = DataType::String();
  const DataType bytes{.kind = TypeKind::kVarbinary, .precision = INT32_MAX};
  constexpr Param kText = Param::kString;
  table.Add("TO_BASE64", {kText}, 0, text, ToBase64Kernel);
  table.Add("FROM_BASE64", {kText}, 0, text, FromBase64Kernel);
  table.Add("BIN", {Param::kInteger}, 0, text, BinKernel);
  table.Add("UNHEX", {kText}, 0, AsNullable(bytes), UnhexKernel);
  table.Add("ENCODE", {kText, kText}, 0, bytes, CharsetKernel<Encode>);
  AddOfBytes(table, "DECODE", text, CharsetKernel<Decode>);
  table.Add("URL_ENCODE", {kText}, 0, text, UrlEncodeKernel);
  table.Add("URL_DECODE", {kText}, 0, text, UrlDecodeKernel);
  table.Add("PARSE_URL", {kText, kText, kText}, 1, text, ParseUrlKernel);
}

}  // namespace slipstream::sql
