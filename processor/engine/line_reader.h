#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/engine/file_source.h"
#include "processor/formats/csv_record.h"
#include "processor/formats/value_format.h"

namespace slipstream::sql {

// LineReader: the lines of a file, many at a time, whatever the chunks it is read in. In CSV a line
// end within quotes ends no line.
// Ownership  borrows the file.
// Threads    one at a time.
class LineReader {
 public:
  static constexpr size_t kLineBytesMax = 64 << 20;

  LineReader(FileReader& file, const ValueFormat& format) : file_(file) {
    if (format.kind == ValueFormat::Kind::kCsv) csv_ends_.emplace(format.csv);
  }

  // The next lines, without their ends ("\n" or "\r\n"); valid until the next call. Empty: the end
  // of the file. A last line needs no end. kInvalidArgument: a line of more than kLineBytesMax.
  Result<std::vector<std::string_view>> Next();

  // Bytes of the file up to the end of what Next has given.
  uint64_t given_bytes() const { return given_bytes_; }

 private:
  // The first line end at or behind `from`, all before which has been searched; npos: none.
  size_t FindEnd(size_t from);

  FileReader& file_;
  std::optional<CsvLineEnds> csv_ends_;  // none: every '\n' is an end
  std::string buffer_;
  size_t used_ = 0;  // bytes of buffer_ that were given out as lines
  uint64_t given_bytes_ = 0;
  size_t searched_ = 0;  // bytes of buffer_ in which every line end was found
  bool is_at_end_ = false;
};

}  // namespace slipstream::sql
