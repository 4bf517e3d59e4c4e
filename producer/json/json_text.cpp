#include "producer/json/json_text.h"

#include <algorithm>
#include <cstddef>

namespace slipstream::producer {
namespace {

bool IsPlain(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

bool IsContinuation(std::string_view text, size_t index) {
  return index < text.size() && (static_cast<unsigned char>(text[index]) & 0xc0U) == 0x80;
}

// The length of the UTF-8 sequence `text` begins with, 0 if it begins with none. The ranges of the
// second byte are those of RFC 3629: nothing overlong, no surrogates, nothing above U+10FFFF.
size_t SequenceLength(std::string_view text) {
  auto first = static_cast<unsigned char>(text[0]);
  auto second = text.size() > 1 ? static_cast<unsigned char>(text[1]) : 0U;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return IsContinuation(text, 1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    unsigned low = first == 0xe0 ? 0xa0 : 0x80;
    unsigned high = first == 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high && IsContinuation(text, 2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    unsigned low = first == 0xf0 ? 0x90 : 0x80;
    unsigned high = first == 0xf4 ? 0x8f : 0xbf;
    bool fits = second >= low && second <= high;
    return fits && IsContinuation(text, 2) && IsContinuation(text, 3) ? 4 : 0;
  }
  return 0;
}

void AppendEscape(char c, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      out.append("\\\"");
      break;
    case '\\':
      out.append("\\\\");
      break;
    case '\n':
      out.append("\\n");
      break;
    case '\r':
      out.append("\\r");
      break;
    case '\t':
      out.append("\\t");
      break;
    default:
      out.append("\\u00");
      out.push_back(kHex[static_cast<unsigned char>(c) >> 4U]);
      out.push_back(kHex[static_cast<unsigned char>(c) & 0xfU]);
  }
}

void AppendEscaped(std::string_view text, std::string& out) {
  while (!text.empty()) {
    size_t length = SequenceLength(text);
    if (length == 0) {
      out.append("\xef\xbf\xbd");
      length = 1;
    } else if (length > 1 || IsPlain(text[0])) {
      out.append(text.substr(0, length));
    } else {
      AppendEscape(text[0], out);
    }
    text.remove_prefix(length);
  }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out.push_back('"');
  if (std::all_of(text.begin(), text.end(), IsPlain)) [[likely]] {
    out.append(text);
  } else {
    AppendEscaped(text, out);
  }
  out.push_back('"');
}

void AppendJsonNumber(std::string_view number, std::string& out) {
  bool is_negative = number.starts_with('-');
  if (is_negative || number.starts_with('+')) number.remove_prefix(1);
  size_t point = number.find('.');
  std::string_view whole = number.substr(0, point);
  std::string_view fraction = point == number.npos ? std::string_view{} : number.substr(point + 1);
  while (whole.starts_with('0'))
    whole.remove_prefix(1);
  while (fraction.ends_with('0'))
    fraction.remove_suffix(1);
  if (whole.empty() && fraction.empty()) {
    out.push_back('0');
    return;
  }
  if (is_negative) out.push_back('-');
  out.append(whole.empty() ? std::string_view("0") : whole);
  if (!fraction.empty()) {
    out.push_back('.');
    out.append(fraction);
  }
}

}  // namespace slipstream::producer
