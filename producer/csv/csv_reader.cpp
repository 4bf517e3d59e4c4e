#include "producer/csv/csv_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace slipstream::producer {
namespace {

constexpr size_t kBufferBytesMin = 256 << 10;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

const char* FindLineEnd(const char* begin, const char* end) {
  const void* found = std::memchr(begin, '\n', static_cast<size_t>(end - begin));
  return found == nullptr ? end : static_cast<const char*>(found);
}

}  // namespace

CsvReader::CsvReader(std::unique_ptr<ByteSource> source, const Options& options)
    : source_(std::move(source)),
      options_(options),
      row_bytes_limit_(options.row_bytes_max + 2),
      buffer_(std::max(kBufferBytesMin, 2 * options.row_bytes_max)) {}

CsvReader::CsvReader(std::unique_ptr<ByteSource> source)
    : CsvReader(std::move(source), Options{}) {}

Status CsvReader::SkipByteOrderMark() {
  while (!at_end_ && end_ - begin_ < kByteOrderMark.size())
    RETURN_IF_ERROR(Fill());
  if (std::string_view(buffer_.data(), end_).starts_with(kByteOrderMark)) {
    begin_ += kByteOrderMark.size();
  }
  return {};
}

Result<CsvReader::Outcome> CsvReader::Next() {
  fields_.clear();
  while (true) {
    if (begin_ == end_) {
      if (at_end_) return Outcome::kEnd;
      RETURN_IF_ERROR(Fill());
      continue;
    }
    if (std::exchange(is_first_, false)) {
      RETURN_IF_ERROR(SkipByteOrderMark());
      continue;
    }
    if (skips_to_line_end_) {
      const char* line_end = FindLineEnd(buffer_.data() + begin_, end());
      skips_to_line_end_ = line_end == end();
      begin_ = skips_to_line_end_ ? end_ : static_cast<size_t>(line_end + 1 - buffer_.data());
      continue;
    }
    Parse parse = ParseRow();
    if (parse == Parse::kNeedsMore && !at_end_ && end_ - begin_ <= row_bytes_limit_) {
      RETURN_IF_ERROR(Fill());
      continue;
    }
    row_line_ = line_;
    if (parse == Parse::kComplete && row_end_ - begin_ > row_bytes_limit_) {
      parse = Parse::kNeedsMore;
    }
    if (parse != Parse::kComplete) {
      if (parse == Parse::kNeedsMore) {
        reason_ = end_ - begin_ > row_bytes_limit_
                      ? fmt::format("the row is longer than {} bytes", options_.row_bytes_max)
                      : "a quoted field is not closed";
      }
      return SkipBadLine();
    }
    begin_ = row_end_;
    line_ += row_line_count_;
    if (fields_.size() == 1 && fields_[0].empty()) {  // an empty line
      fields_.clear();
      continue;
    }
    Unescape();
    return Outcome::kRow;
  }
}

CsvReader::Parse CsvReader::ParseRow() {
  fields_.clear();
  escaped_.clear();
  row_line_count_ = 1;
  const char* cursor = buffer_.data() + begin_;
  while (true) {
    if (fields_.size() == options_.fields_max) {
      reason_ = fmt::format("the row has more than {} fields", options_.fields_max);
      return Parse::kBad;
    }
    if (cursor < end() && *cursor == '"') {
      Parse parse = ParseQuoted(cursor);
      if (parse != Parse::kComplete) return parse;
    } else {
      const char* field = cursor;
      while (cursor < end() && *cursor != ',' && *cursor != '\n')
        ++cursor;
      if (cursor == end() && !at_end_) return Parse::kNeedsMore;
      const char* field_end = cursor;
      bool ends_row = cursor == end() || *cursor == '\n';
      if (ends_row && field_end > field && field_end[-1] == '\r') --field_end;
      fields_.emplace_back(field, static_cast<size_t>(field_end - field));
    }
    if (cursor == end() || *cursor == '\n') {
      row_end_ = static_cast<size_t>(cursor - buffer_.data()) + (cursor == end() ? 0 : 1);
      return Parse::kComplete;
    }
    ++cursor;  // the comma
  }
}

CsvReader::Parse CsvReader::ParseQuoted(const char*& cursor) {
  const char* field = cursor + 1;
  const char* scan = field;
  bool has_escapes = false;
  while (true) {
    const void* found = std::memchr(scan, '"', static_cast<size_t>(end() - scan));
    if (found == nullptr) return Parse::kNeedsMore;
    scan = static_cast<const char*>(found);
    if (scan + 1 == end() || scan[1] != '"') break;
    has_escapes = true;
    scan += 2;
  }
  const char* after = scan + 1;
  if (after == end() && !at_end_) return Parse::kNeedsMore;
  if (after < end() && *after == '\r') {
    if (after + 1 == end() && !at_end_) return Parse::kNeedsMore;
    if (after + 1 == end() || after[1] == '\n') ++after;
  }
  if (after < end() && *after != ',' && *after != '\n') {
    reason_ = fmt::format("text follows the closing quote of field {}", fields_.size() + 1);
    return Parse::kBad;
  }
  row_line_count_ += static_cast<uint64_t>(std::count(field, scan, '\n'));
  if (has_escapes) escaped_.push_back(fields_.size());
  fields_.emplace_back(field, static_cast<size_t>(scan - field));
  cursor = after;
  return Parse::kComplete;
}

// In place: the field becomes shorter, and the row is never parsed again.
void CsvReader::Unescape() {
  for (size_t index : escaped_) {
    std::string_view field = fields_[index];
    char* out = buffer_.data() + (field.data() - buffer_.data());
    const char* const begin = out;
    for (size_t i = 0; i < field.size(); ++i) {
      *out++ = field[i];
      if (field[i] == '"') ++i;
    }
    fields_[index] = field.substr(0, static_cast<size_t>(out - begin));
  }
}

CsvReader::Outcome CsvReader::SkipBadLine() {
  fields_.clear();
  skips_to_line_end_ = true;
  ++line_;
  return Outcome::kBadRow;
}

Status CsvReader::Fill() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (end_ == buffer_.size()) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  ASSIGN_OR_RETURN(size_t count, source_->Read(std::span(buffer_).subspan(end_)));
  end_ += count;
  at_end_ = count == 0;
  return {};
}

}  // namespace slipstream::producer
