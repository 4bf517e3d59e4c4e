#include "processor/shell/line_reader.h"

namespace slipstream::processor {
namespace {

class StreamReader final : public LineReader {
 public:
  explicit StreamReader(std::istream& in) : in_(in) {}

  Line Read(const std::string&) override {
    Line line;
    if (!std::getline(in_, line.text)) return line;
    line.kind = Line::Kind::kText;
    if (!in_.eof()) line.text.push_back('\n');
    return line;
  }

  bool is_interactive() const override { return false; }

 private:
  std::istream& in_;
};

}  // namespace

std::unique_ptr<LineReader> ReadLinesOf(std::istream& in) {
  return std::make_unique<StreamReader>(in);
}

}  // namespace slipstream::processor
