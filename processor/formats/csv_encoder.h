#pragma once

#include <string>
#include <vector>

#include "processor/columns/batch.h"
#include "processor/formats/csv_options.h"
#include "processor/formats/row_encoder.h"

namespace slipstream::sql {

// CsvEncoder: rows as lines of CSV, as Flink writes them: numbers as they are, other values within
// quotes if they are longer than 24 bytes or have a character up to the delimiter's or the quote's
// code (a blank, for one); NULL as the null literal, by default as nothing.
class CsvEncoder final : public RowEncoder {
 public:
  // Encodes the columns at `positions` of a batch, whose types are IsCsvType.
  CsvEncoder(std::vector<size_t> positions, CsvOptions options);

  bool Encode(const Batch& batch, size_t row, std::string& to) const override;

 private:
  void AppendField(const Column& column, size_t row, std::string& to) const;
  void AppendElements(const Column& column, size_t row, std::string& to) const;
  void AppendQuoted(std::string_view text, std::string& to) const;
  void AppendPlain(std::string_view text, std::string& to) const;
  bool NeedsQuotes(std::string_view text) const;

  const std::vector<size_t> positions_;
  const CsvOptions options_;
  const unsigned char safe_from_;  // characters below it need quotes
};

}  // namespace slipstream::sql
