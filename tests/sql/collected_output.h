#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "processor/runtime/task_program.h"

namespace slipstream::sql {

// CollectedOutput: a task's output as lines, by destination: "topic t", "file /path/carrier=AA/",
// "print", "dead".
class CollectedOutput : public runtime::TaskOutput {
 public:
  void Describe(const std::vector<runtime::KafkaSinkSpec>& kafka,
                const std::vector<runtime::FileSinkSpec>& files) {
    kafka_ = kafka;
    files_ = files;
  }

  void ToKafka(size_t sink, const runtime::OutputRecord& record) override {
    std::string line;
    if (record.key) line.append(*record.key).append(" -> ");
    line.append(record.value.value_or("(deleted)"));
    for (const runtime::Header& header : record.headers)
      line.append(" ").append(header.name).append(":").append(header.value);
    if (record.timestamp_ms != 0) line.append(" at ").append(std::to_string(record.timestamp_ms));
    lines["topic " + kafka_.at(sink).topic].push_back(line);
  }
  void ToFile(size_t sink,
              std::string_view partition_path,
              std::string_view rows,
              uint64_t row_count) override {
    std::vector<std::string>& to =
        lines["file " + files_.at(sink).path + std::string(partition_path)];
    while (!rows.empty()) {
      const size_t end = rows.find('\n');
      to.emplace_back(rows.substr(0, end));
      rows.remove_prefix(end + 1);
      --row_count;
    }
    if (row_count != 0) to.emplace_back("(the count of rows is wrong)");
  }
  void ToExchange(size_t exchange, uint64_t, std::string_view) override {
    lines["exchange " + std::to_string(exchange)].emplace_back("a row");
  }
  void ToPrint(size_t, std::string_view line) override { lines["print"].emplace_back(line); }
  void ToDeadLetters(const runtime::InputRecord& record, std::string_view error) override {
    lines["dead"].push_back(std::to_string(record.offset) + " " +
                            std::string(record.value.value_or("(null)")) + " because " +
                            std::string(error));
  }

  void ToLateRows(size_t source,
                  const runtime::InputRecord& record,
                  std::string_view why) override {
    lines["late of " + std::to_string(source)].push_back(
        std::to_string(record.offset) + " " + std::string(record.value.value_or("(null)")) +
        " because " + std::string(why));
  }

  std::string Text() const {
    std::string text;
    for (const auto& [destination, written] : lines) {
      for (const std::string& line : written)
        text += destination + ": " + line + "\n";
    }
    return text;
  }

  std::map<std::string, std::vector<std::string>> lines;

 private:
  std::vector<runtime::KafkaSinkSpec> kafka_;
  std::vector<runtime::FileSinkSpec> files_;
};

}  // namespace slipstream::sql
