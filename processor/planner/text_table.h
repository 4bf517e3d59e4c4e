#pragma once

#include <string>
#include <vector>

namespace slipstream::sql {

// TextTable: rows in aligned columns under a header, for people.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) { rows_.push_back(std::move(header)); }

  // As many cells as the header has.
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  // Lines without trailing blanks; no line end after the last.
  std::string Render() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace slipstream::sql
