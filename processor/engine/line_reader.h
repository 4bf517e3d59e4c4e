#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/engine/file_source.h"

namespace slipstream::sql {

// LineReader: the lines of a file, many at a time, whatever the chunks it is read in.
// Ownership  borrows the file.
// Threads    one at a time.
class LineReader {
 public:
  static constexpr size_t kLineBytesMax = 64 << 20;

  explicit LineReader(FileReader& file) : file_(file) {}

  // The next lines, without their ends ("\n" or "\r\n"); valid until the next call. Empty: the end
  // of the file. A last line needs no end. kInvalidArgument: a line of more than kLineBytesMax.
  Result<std::vector<std::string_view>> Next();

 private:
  FileReader& file_;
  std::string buffer_;
  size_t used_ = 0;  // bytes of buffer_ that were given out as lines
  bool is_at_end_ = false;
};

}  // namespace slipstream::sql
