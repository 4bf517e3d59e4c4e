#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace slipstream::sql {

// Text is UTF-8 and SQL counts in characters (code points). Bytes that are not valid UTF-8 count
// one character each, so that nothing here can run over the end.

// Bytes of the character at the front of `text`, which is not empty.
inline size_t CharacterBytes(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text.front());
  size_t bytes = 1;
  if (lead >= 0xF0 && lead < 0xF8) bytes = 4;
  if (lead >= 0xE0 && lead < 0xF0) bytes = 3;
  if (lead >= 0xC0 && lead < 0xE0) bytes = 2;
  if (bytes > text.size()) return 1;
  for (size_t i = 1; i < bytes; ++i) {
    if ((static_cast<uint8_t>(text[i]) & 0xC0) != 0x80) return 1;
  }
  return bytes;
}

size_t CountCharacters(std::string_view text);
// Bytes that the first `count` characters take; all if there are fewer.
size_t BytesOfCharacters(std::string_view text, size_t count);
inline std::string_view FirstCharacters(std::string_view text, size_t count) {
  return text.substr(0, BytesOfCharacters(text, count));
}
bool IsAscii(std::string_view text);
bool IsValidUtf8(std::string_view text);

// Appends a code point; surrogates and values beyond U+10FFFF become U+FFFD.
void AppendUtf8(std::string& to, uint32_t code_point);

}  // namespace slipstream::sql
