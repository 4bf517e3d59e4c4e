#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "common/status/status.h"
#include "processor/columns/column.h"
#include "processor/formats/csv_options.h"

namespace slipstream::sql {

// Takes one record of CSV apart into its fields, as Jackson does for Flink: a field that begins
// with the quote ends with one, a doubled quote inside is a quote; an escape takes the meaning
// from what comes next, but for \n, \r, \t and \0. Line ends within quotes are the field's; one at
// the record's end is dropped. Fields are views into `record`, or into `arena` where something was
// taken out. Errors: kInvalidArgument: an open quote, text behind a quote, a second line.
Status SplitCsvRecord(std::string_view record,
                      const CsvOptions& options,
                      Arena& arena,
                      std::vector<std::string_view>& fields);

// CsvLineEnds: whether a line end of a file is within quotes, and so none of a record. Fed with a
// file's bytes in order.
class CsvLineEnds {
 public:
  explicit CsvLineEnds(CsvOptions options) : options_(std::move(options)) {}

  // The position of the next '\n' in `text` that ends a record; npos: there is none. What was
  // passed over is remembered, so the next text is what follows.
  size_t Find(std::string_view text);

 private:
  enum class At { kRecordStart, kFieldStart, kPlain, kQuoted, kComment };

  bool Step(char c);

  const CsvOptions options_;
  At at_ = At::kRecordStart;
  bool is_escaped_ = false;
  bool was_quote_ = false;  // the last byte closed a quoted field, or is the first of two
};

}  // namespace slipstream::sql
