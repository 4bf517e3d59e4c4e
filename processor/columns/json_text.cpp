#include "processor/columns/json_text.h"

#include <cmath>
#include <cstdint>
#include <cstring>

#include "processor/columns/value_text.h"

namespace slipstream::sql {
namespace {

// How many bytes from the front on, at least, need no escape: looks at eight of them at a time.
size_t PlainBytes(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = 0x8080808080808080;
  // Not zero if, and only if, a byte of `x` is less than `limit`, which is 128 at most.
  const auto has_less = [](uint64_t x, uint64_t limit) {
    return (x - kOnes * limit) & ~x & kHighs;
  };
  size_t at = 0;
  for (; at + sizeof(uint64_t) <= text.size(); at += sizeof(uint64_t)) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, sizeof(bytes));
    if ((has_less(bytes, 0x20) | has_less(bytes ^ kOnes * '"', 1) |
         has_less(bytes ^ kOnes * '\\', 1)) != 0) {
      break;
    }
  }
  return at;
}

// Appends the text of a scalar, which has nothing in it to be escaped, as a JSON string.
void AppendQuotedText(const Column& column, size_t row, std::string& to) {
  to.push_back('"');
  AppendValueText(column, row, to);
  to.push_back('"');
}

void AppendNested(const Column& column, size_t row, char separator, std::string& to) {
  const bool is_array = column.type.kind == TypeKind::kArray;
  to.push_back(is_array ? '[' : '{');
  if (column.type.kind == TypeKind::kRow) {
    for (size_t i = 0; i < column.children.size(); ++i) {
      if (i > 0) to.push_back(',');
      AppendJsonText((*column.type.children)[i].name, to);
      to.push_back(':');
      AppendJsonValue(column.children[i], row, separator, to);
    }
  } else {
    for (uint32_t entry = column.offsets[row]; entry < column.offsets[row + 1]; ++entry) {
      if (entry > column.offsets[row]) to.push_back(',');
      AppendJsonValue(column.children[0], entry, separator, to);
      if (is_array) continue;
      to.push_back(':');
      AppendJsonValue(column.children[1], entry, separator, to);
    }
  }
  to.push_back(is_array ? ']' : '}');
}

}  // namespace

void AppendJsonText(std::string_view text, std::string& to) {
  to.push_back('"');
  size_t plain = 0;  // begin of what is copied as it is
  for (size_t i = PlainBytes(text); i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    to.append(text.substr(plain, i - plain));
    plain = i + 1;
    constexpr std::string_view kShort = "\b\t\n\f\r\"\\";
    constexpr std::string_view kLetters = "btnfr\"\\";
    const size_t known = kShort.find(text[i]);
    to.push_back('\\');
    if (known != std::string_view::npos) {
      to.push_back(kLetters[known]);
    } else {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      to.append("u00").push_back(kHex[c >> 4]);
      to.push_back(kHex[c & 15]);
    }
  }
  to.append(text.substr(plain));
  to.push_back('"');
}

void AppendJsonValue(const Column& column, size_t row, char separator, std::string& to) {
  if (column.is_null(row)) {
    to += "null";
    return;
  }
  switch (column.physical()) {
    case PhysicalKind::kBool:
    case PhysicalKind::kInt128:
      AppendValueText(column, row, to);
      break;
    case PhysicalKind::kInt64:
      if (column.type.is_integer()) {
        AppendValueText(column, row, to);
      } else {
        to.push_back('"');
        AppendTemporalText(column.ints[row], column.type, separator, to);
        to.push_back('"');
      }
      break;
    case PhysicalKind::kDouble:
      if (std::isfinite(column.doubles[row])) {
        AppendValueText(column, row, to);
      } else {
        AppendQuotedText(column, row, to);
      }
      break;
    case PhysicalKind::kString:
      if (column.type.is_binary()) {
        AppendQuotedText(column, row, to);
      } else {
        AppendJsonText(column.strings[row], to);
      }
      break;
    case PhysicalKind::kNested:
      AppendNested(column, row, separator, to);
      break;
  }
}

}  // namespace slipstream::sql
