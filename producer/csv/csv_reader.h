#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "producer/csv/byte_source.h"

namespace slipstream::producer {

// CsvReader: comma-separated rows as RFC 4180 has them, read from bytes nobody vouches for.
//
// Shape       Rows end in LF or CRLF; the last may end with the file. A field that begins with a
//             quote ends with one, may hold commas, line ends and, doubled, quotes; in any other
//             field a quote is an ordinary character. Empty lines and a byte-order mark at the
//             beginning are passed over.
// Bad rows    A row that cannot be read (text after a closing quote, a quote never closed, more
//             bytes or fields than allowed) costs one line: reading goes on with the line after
//             the one it began on, so that a stray quote does not swallow what follows.
// Ownership   owns the source. The fields' text lives in the reader until the next Next().
// Threads     one reader at a time.
// Memory      one buffer of twice `row_bytes_max`, at least 256 KiB.
class CsvReader final {
 public:
  struct Options {
    size_t row_bytes_max = 64 << 10;
    size_t fields_max = 512;
  };
  enum class Outcome { kRow, kBadRow, kEnd };

  CsvReader(std::unique_ptr<ByteSource> source, const Options& options);
  explicit CsvReader(std::unique_ptr<ByteSource> source);

  // Reads the next row. kBadRow says why in reason(). An error is the source's and final.
  Result<Outcome> Next();

  std::span<const std::string_view> fields() const { return fields_; }
  // The line, counted from 1, on which the row began.
  uint64_t line() const { return row_line_; }
  const std::string& reason() const { return reason_; }

 private:
  enum class Parse { kComplete, kNeedsMore, kBad };

  Parse ParseRow();
  // Parses the quoted field whose opening quote is at `cursor`; moves `cursor` behind the closing
  // quote.
  Parse ParseQuoted(const char*& cursor);
  void Unescape();
  Outcome SkipBadLine();
  Status SkipByteOrderMark();
  // Makes room, reads; sets at_end_ when nothing is left.
  Status Fill();
  const char* end() const { return buffer_.data() + end_; }

  std::unique_ptr<ByteSource> source_;
  const Options options_;
  const size_t row_bytes_limit_;  // with the line end
  std::vector<char> buffer_;
  size_t begin_ = 0;  // the row to be parsed next
  size_t end_ = 0;
  size_t row_end_ = 0;  // behind the parsed row's line end
  bool at_end_ = false;
  bool is_first_ = true;
  bool skips_to_line_end_ = false;
  std::vector<std::string_view> fields_;
  std::vector<size_t> escaped_;  // fields that hold doubled quotes
  uint64_t line_ = 1;
  uint64_t row_line_ = 0;
  uint64_t row_line_count_ = 0;
  std::string reason_;
};

}  // namespace slipstream::producer
