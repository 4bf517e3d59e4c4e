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

Result<std::vector<std::string_view>> LineReader::Next() {
  buffer_.erase(0, used_);
  used_ = 0;
  size_t scanned = 0;  // no line ends before here
  while (!is_at_end_ && buffer_.find('\n', scanned) == std::string::npos) {
    scanned = buffer_.size();
    if (scanned > kLineBytesMax) return InvalidArgument("a line of more than 64 MiB");
    buffer_.resize(scanned + kChunkBytes);
    ASSIGN_OR_RETURN(const size_t read,
                     file_.Read(std::span(buffer_.data() + scanned, kChunkBytes)));
    buffer_.resize(scanned + read);
    is_at_end_ = read == 0;
  }
  std::vector<std::string_view> lines;
  const std::string_view text = buffer_;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', used_)) {
    lines.push_back(WithoutReturn(text.substr(used_, end - used_)));
    used_ = end + 1;
  }
  if (lines.empty() && used_ < text.size()) {
    lines.push_back(WithoutReturn(text));
    used_ = text.size();
  }
  return lines;
}

}  // namespace slipstream::sql
