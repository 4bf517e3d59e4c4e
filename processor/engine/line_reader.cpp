#include "processor/engine/line_reader.h"

#include <span>

namespace slipstream::sql {
namespace {

constexpr size_t kChunkBytes = 1 << 20;

std::string_view WithoutReturn(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

size_t LineReader::FindEnd(size_t from) {
  if (!csv_ends_) return buffer_.find('\n', from);
  const size_t found = csv_ends_->Find(std::string_view(buffer_).substr(from));
  return found == std::string::npos ? found : from + found;
}

Result<std::vector<std::string_view>> LineReader::Next() {
  buffer_.erase(0, used_);
  searched_ -= used_;
  used_ = 0;
  size_t end = FindEnd(searched_);
  while (end == std::string::npos && !is_at_end_) {
    searched_ = buffer_.size();
    if (searched_ > kLineBytesMax) return InvalidArgument("a line of more than 64 MiB");
    buffer_.resize(searched_ + kChunkBytes);
    ASSIGN_OR_RETURN(const size_t read,
                     file_.Read(std::span(buffer_.data() + searched_, kChunkBytes)));
    buffer_.resize(searched_ + read);
    is_at_end_ = read == 0;
    end = FindEnd(searched_);
  }
  std::vector<std::string_view> lines;
  const std::string_view text = buffer_;
  for (; end != std::string_view::npos; end = FindEnd(used_)) {
    lines.push_back(WithoutReturn(text.substr(used_, end - used_)));
    used_ = end + 1;
  }
  searched_ = buffer_.size();
  if (lines.empty() && used_ < text.size()) {
    lines.push_back(WithoutReturn(text));
    used_ = text.size();
  }
  given_bytes_ += used_;
  return lines;
}

}  // namespace slipstream::sql
