#include "processor/planner/text_table.h"

#include <algorithm>

namespace slipstream::sql {
namespace {

size_t Characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

std::string TextTable::Render() const {
  std::vector<size_t> widths(rows_.front().size(), 0);
  for (const std::vector<std::string>& row : rows_) {
    for (size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], Characters(row[i]));
  }
  std::string text;
  for (size_t r = 0; r < rows_.size(); ++r) {
    std::string line;
    for (size_t i = 0; i < widths.size(); ++i) {
      if (i > 0) line += "  ";
      line += rows_[r][i] + std::string(widths[i] - Characters(rows_[r][i]), ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    if (r > 0) text += '\n';
    text += line;
    if (r > 0) continue;
    text += '\n';
    for (size_t i = 0; i < widths.size(); ++i) {
      text += std::string(i > 0 ? 2 : 0, ' ') + std::string(widths[i], '-');
    }
  }
  return text;
}

}  // namespace slipstream::sql
