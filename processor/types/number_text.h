#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipstream::sql {

// Numbers as text, both ways, as Flink (Java) has them.

// Shortest text that reads back as the same number, laid out as Java's Double.toString: "1.0",
// "123456.7", "1.0E10", "1.0E-5", "NaN", "-Infinity".
std::string FormatDouble(double value);
// The same for a FLOAT: the shortest text that reads back as the same float.
std::string FormatFloat(float value);

// Reads all of `text`, blanks around it allowed. Integers may have a fraction, which is dropped
// ("2.0" is 2); nullopt: no number, or beyond int64.
std::optional<int64_t> ParseInteger(std::string_view text);
// "NaN", "Infinity" and "-Infinity" too; what is beyond a double's range is infinite or zero.
std::optional<double> ParseDouble(std::string_view text);
// true, t, yes, y, 1 / false, f, no, n, 0 in any case.
std::optional<bool> ParseBoolean(std::string_view text);

// Without the blanks at both ends.
std::string_view TrimBlanks(std::string_view text);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

}  // namespace slipstream::sql
