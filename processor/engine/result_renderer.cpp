#include "processor/engine/result_renderer.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "processor/engine/cell_text.h"
#include "processor/formats/json_encoder.h"
#include "processor/types/utf8.h"

namespace slipstream::sql {
namespace {

class JsonRenderer final : public ResultRenderer {
 public:
  JsonRenderer(const Schema& schema, Write write)
      : encoder_(schema, Positions(schema.size()), JsonOptions{}), write_(std::move(write)) {}

  void Rows(const Batch& batch) override {
    std::string lines;
    for (size_t row = 0; row < batch.rows; ++row) {
      encoder_.Encode(batch, row, lines);
      lines.push_back('\n');
    }
    write_(lines);
  }
  void End() override {}

 private:
  static std::vector<size_t> Positions(size_t count) {
    std::vector<size_t> positions(count);
    std::iota(positions.begin(), positions.end(), size_t{0});
    return positions;
  }

  const JsonEncoder encoder_;
  const Write write_;
};

class CsvRenderer final : public ResultRenderer {
 public:
  CsvRenderer(const Schema& schema, Write write) : write_(std::move(write)) {
    std::string line;
    for (size_t i = 0; i < schema.size(); ++i) {
      if (i > 0) line.push_back(',');
      AppendField(schema[i].name, line);
    }
    write_(line + "\n");
  }

  void Rows(const Batch& batch) override {
    std::string lines;
    for (size_t row = 0; row < batch.rows; ++row) {
      for (size_t i = 0; i < batch.columns.size(); ++i) {
        if (i > 0) lines.push_back(',');
        if (!batch.columns[i].is_null(row)) AppendField(CellText(batch.columns[i], row, ""), lines);
      }
      lines.push_back('\n');
    }
    write_(lines);
  }
  void End() override {}

 private:
  static void AppendField(const std::string& text, std::string& to) {
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) {
      to += text;
      return;
    }
    to.push_back('"');
    for (char c : text) {
      to.push_back(c);
      if (c == '"') to.push_back(c);
    }
    to.push_back('"');
  }

  const Write write_;
};

class TableRenderer final : public ResultRenderer {
 public:
  TableRenderer(Schema schema, Write write) : schema_(std::move(schema)), write_(std::move(write)) {
    for (const Field& field : schema_)
      widths_.push_back(CountCharacters(field.name));
  }

  void Rows(const Batch& batch) override {
    for (size_t row = 0; row < batch.rows; ++row) {
      std::vector<std::string>& cells = rows_.emplace_back();
      for (size_t i = 0; i < batch.columns.size(); ++i) {
        cells.push_back(CellLine(batch.columns[i], row));
        widths_[i] = std::max(widths_[i], CountCharacters(cells.back()));
      }
    }
  }

  void End() override {
    std::string rule;
    for (size_t width : widths_)
      rule.append("+").append(width + 2, '-');
    rule += "+\n";
    std::vector<std::string> names;
    for (const Field& field : schema_)
      names.push_back(field.name);
    write_(rule + Line(names) + rule);
    for (const std::vector<std::string>& cells : rows_)
      write_(Line(cells));
    write_(rule + std::to_string(rows_.size()) + (rows_.size() == 1 ? " row\n" : " rows\n"));
  }

 private:
  std::string Line(const std::vector<std::string>& cells) const {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths_[i] - CountCharacters(cells[i]), ' ');
      const bool is_right = schema_[i].type.is_numeric();
      line += "| ";
      line += is_right ? padding + cells[i] : cells[i] + padding;
      line += " ";
    }
    return line + "|\n";
  }

  const Schema schema_;
  const Write write_;
  std::vector<size_t> widths_;  // in characters
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace

Result<std::unique_ptr<ResultRenderer>> ResultRenderer::Create(std::string_view format,
                                                               const Schema& schema,
                                                               Write write) {
  std::unique_ptr<ResultRenderer> renderer;
  if (format == "table") {
    renderer = std::make_unique<TableRenderer>(schema, std::move(write));
  } else if (format == "json") {
    renderer = std::make_unique<JsonRenderer>(schema, std::move(write));
  } else if (format == "csv") {
    renderer = std::make_unique<CsvRenderer>(schema, std::move(write));
  } else {
    return InvalidArgument("no result format '" + std::string(format) +
                           "'; there are table, json and csv");
  }
  return renderer;
}

}  // namespace slipstream::sql
