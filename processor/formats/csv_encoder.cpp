#include "processor/formats/csv_encoder.h"

#include <algorithm>
#include <utility>

#include "processor/columns/value_text.h"

namespace slipstream::sql {
namespace {

constexpr size_t kCheckedBytesMax = 24;

unsigned char SafeFrom(const CsvOptions& options) {
  const auto delimiter = static_cast<unsigned char>(options.delimiter);
  const auto quote = static_cast<unsigned char>(options.quote.value_or('\n'));
  return static_cast<unsigned char>(std::max({delimiter, quote, static_cast<unsigned char>('\r')}) +
                                    1);
}

bool IsNumber(const DataType& type) {
  return type.is_numeric() || type.kind == TypeKind::kBoolean;
}

}  // namespace

CsvEncoder::CsvEncoder(std::vector<size_t> positions, CsvOptions options)
    : positions_(std::move(positions)),
      options_(std::move(options)),
      safe_from_(SafeFrom(options_)) {}

bool CsvEncoder::Encode(const Batch& batch, size_t row, std::string& to) const {
  const size_t begin = to.size();
  for (size_t i = 0; i < positions_.size(); ++i) {
    if (i > 0) to.push_back(options_.delimiter);
    AppendField(batch.columns[positions_[i]], row, to);
  }
  // Nothing at all would be read as no row.
  if (to.size() == begin && options_.quote) to.append(2, *options_.quote);
  return true;
}

void CsvEncoder::AppendField(const Column& column, size_t row, std::string& to) const {
  if (column.is_null(row)) {
    to += options_.null_literal.value_or("");
    return;
  }
  if (IsNumber(column.type)) {
    AppendValueText(column, row, to);
    return;
  }
  std::string text;
  if (column.physical() == PhysicalKind::kNested) {
    AppendElements(column, row, text);
  } else {
    AppendValueText(column, row, text);
  }
  if (NeedsQuotes(text)) {
    AppendQuoted(text, to);
  } else {
    AppendPlain(text, to);
  }
}

void CsvEncoder::AppendElements(const Column& column, size_t row, std::string& to) const {
  const auto append = [&](const Column& child, size_t place, bool is_first) {
    if (!is_first) to += options_.array_delimiter;
    if (child.is_null(place)) {
      to += options_.null_literal.value_or("");
    } else {
      AppendValueText(child, place, to);
    }
  };
  if (column.type.kind == TypeKind::kRow) {
    for (size_t i = 0; i < column.children.size(); ++i)
      append(column.children[i], row, i == 0);
    return;
  }
  for (uint32_t entry = column.offsets[row]; entry < column.offsets[row + 1]; ++entry)
    append(column.children[0], entry, entry == column.offsets[row]);
}

bool CsvEncoder::NeedsQuotes(std::string_view text) const {
  if (!options_.quote) return false;
  if (text.size() > kCheckedBytesMax) return true;
  return std::any_of(text.begin(), text.end(), [this](char c) {
    return static_cast<unsigned char>(c) < safe_from_ || c == options_.escape;
  });
}

void CsvEncoder::AppendQuoted(std::string_view text, std::string& to) const {
  to.push_back(*options_.quote);
  for (const char c : text) {
    if (c == *options_.quote || c == options_.escape) to.push_back(c);
    to.push_back(c);
  }
  to.push_back(*options_.quote);
}

void CsvEncoder::AppendPlain(std::string_view text, std::string& to) const {
  for (const char c : text) {
    const bool has_meaning = c == options_.delimiter || c == '\n' || c == options_.escape;
    if (options_.escape && has_meaning) to.push_back(*options_.escape);
    to.push_back(c);
  }
}

}  // namespace slipstream::sql
