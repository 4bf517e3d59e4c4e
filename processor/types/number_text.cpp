#include "processor/types/number_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace slipstream::sql {
namespace {

// Lays out digits "d[.ddd]e±xx" as Java does.
template <class Number>
std::string FormatShortest(Number value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  std::array<char, 48> buffer{};
  const auto end = std::to_chars(
      buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  std::string_view text(buffer.data(), static_cast<size_t>(end.ptr - buffer.data()));
  std::string result;
  if (text.front() == '-') {
    result.push_back('-');
    text.remove_prefix(1);
  }
  const size_t mark = text.find('e');
  std::string digits(1, text[0]);
  if (mark > 1) digits.append(text.substr(2, mark - 2));
  std::string_view exponent_text = text.substr(mark + 1);
  if (exponent_text.front() == '+') exponent_text.remove_prefix(1);
  int exponent = 0;
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);

  if (exponent >= -3 && exponent < 7) {
    if (exponent < 0) {
      result.append("0.").append(static_cast<size_t>(-exponent - 1), '0').append(digits);
      return result;
    }
    const auto whole = static_cast<size_t>(exponent) + 1;
    if (digits.size() < whole) digits.append(whole - digits.size(), '0');
    result.append(digits, 0, whole).push_back('.');
    result.append(digits.size() > whole ? digits.substr(whole) : "0");
    return result;
  }
  result.append(digits, 0, 1).push_back('.');
  result.append(digits.size() > 1 ? digits.substr(1) : "0");
  return result.append("E").append(std::to_string(exponent));
}

bool IsBlank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string FormatDouble(double value) {
  return FormatShortest(value);
}

std::string FormatFloat(float value) {
  return FormatShortest(value);
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back()))
    text.remove_suffix(1);
  return text;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return LowerAscii(x) == LowerAscii(y);
  });
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  text = TrimBlanks(text);
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return std::nullopt;
  }
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc()) return std::nullopt;
  if (stop == end) return value;
  if (*stop != '.') return std::nullopt;
  const bool is_fraction = std::all_of(stop + 1, end, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_fraction) return std::nullopt;
  return value;
}

std::optional<double> ParseDouble(std::string_view text) {
  text = TrimBlanks(text);
  if (text.empty()) return std::nullopt;
  std::string_view unsigned_text = text;
  const bool is_negative = text.front() == '-';
  if (is_negative || text.front() == '+') unsigned_text.remove_prefix(1);
  if (unsigned_text.empty()) return std::nullopt;
  if (unsigned_text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (unsigned_text == "Infinity") {
    return is_negative ? -std::numeric_limits<double>::infinity()
                       : std::numeric_limits<double>::infinity();
  }
  const char first = unsigned_text.front();
  if (first != '.' && (first < '0' || first > '9')) return std::nullopt;
  double value = 0;
  const char* end = unsigned_text.data() + unsigned_text.size();
  const auto [stop, error] = std::from_chars(unsigned_text.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // from_chars does not say which end of the range was left; the exponent's sign does.
    const size_t mark = unsigned_text.find_first_of("eE");
    const bool is_tiny = mark != std::string_view::npos && mark + 1 < unsigned_text.size() &&
                         unsigned_text[mark + 1] == '-';
    value =
        is_tiny || unsigned_text.starts_with("0.") ? 0 : std::numeric_limits<double>::infinity();
  }
  return is_negative ? -value : value;
}

std::optional<bool> ParseBoolean(std::string_view text) {
  text = TrimBlanks(text);
  for (std::string_view word : {"true", "t", "yes", "y", "1"}) {
    if (EqualsIgnoreCase(text, word)) return true;
  }
  for (std::string_view word : {"false", "f", "no", "n", "0"}) {
    if (EqualsIgnoreCase(text, word)) return false;
  }
  return std::nullopt;
}

}  // namespace slipstream::sql
