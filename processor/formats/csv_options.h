#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace slipstream::sql {

// The options of 'format' = 'csv', with Flink's defaults.
struct CsvOptions {
  char delimiter = ',';
  std::optional<char> quote = '"';  // nullopt: quotes mean nothing
  std::optional<char> escape;
  bool allow_comments = false;  // a record that begins with '#' is no row
  bool ignore_parse_errors = false;
  std::optional<std::string> null_literal;  // written for NULL, and read as NULL
  std::string array_delimiter = ";";
};

}  // namespace slipstream::sql
