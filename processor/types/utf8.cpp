#include "processor/types/utf8.h"

#include <algorithm>

namespace slipstream::sql {

bool IsAscii(std::string_view text) {
  return std::all_of(
      text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

size_t CountCharacters(std::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    text.remove_prefix(CharacterBytes(text));
    ++count;
  }
  return count;
}

size_t BytesOfCharacters(std::string_view text, size_t count) {
  size_t bytes = 0;
  while (count > 0 && bytes < text.size()) {
    bytes += CharacterBytes(text.substr(bytes));
    --count;
  }
  return bytes;
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto lead = static_cast<uint8_t>(text.front());
    if (lead < 0x80) {
      text.remove_prefix(1);
      continue;
    }
    const size_t bytes = CharacterBytes(text);
    if (bytes == 1) return false;
    const auto next = static_cast<uint8_t>(text[1]);
    // Overlong forms, surrogates and code points beyond U+10FFFF.
    const bool is_overlong =
        lead < 0xC2 || (lead == 0xE0 && next < 0xA0) || (lead == 0xF0 && next < 0x90);
    const bool is_outside =
        (lead == 0xED && next > 0x9F) || lead > 0xF4 || (lead == 0xF4 && next > 0x8F);
    if (is_overlong || is_outside) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

void AppendUtf8(std::string& to, uint32_t code_point) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) code_point = 0xFFFD;
  const auto put = [&to](uint32_t byte) { to.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3F));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

}  // namespace slipstream::sql
