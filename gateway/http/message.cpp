#include "gateway/http/message.h"

#include <algorithm>

namespace slipstream::gateway::http {
namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string_view Request::Header(std::string_view name) const {
  for (const auto& [own_name, value] : headers) {
    if (EqualWithoutCase(own_name, name)) return value;
  }
  return {};
}

bool EqualWithoutCase(std::string_view a, std::string_view b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return Lower(x) == Lower(y); });
}

bool IsHeaderText(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

}  // namespace slipstream::gateway::http
