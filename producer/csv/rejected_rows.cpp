#include "producer/csv/rejected_rows.h"

#include <utility>

#include <fmt/format.h>

namespace slipstream::producer {

RejectedRows::RejectedRows(std::function<void(const std::string&)> report)
    : report_(std::move(report)) {}

void RejectedRows::Add(const std::filesystem::path& file, uint64_t line, std::string_view reason) {
  const uint64_t count = ++count_;
  if (count <= kReportedMax) {
    report_(fmt::format("{}:{}: {}; row skipped", file.string(), line, reason));
  } else if (count == kReportedMax + 1) {
    report_("more rows are skipped than are worth a line each; the summary has them all");
  }
  auto found = by_reason_.find(reason);
  if (found == by_reason_.end()) {
    bool is_full = by_reason_.size() >= kReasonsMax;
    found = by_reason_.try_emplace(is_full ? "other reasons" : std::string(reason), 0).first;
  }
  ++found->second;
}

}  // namespace slipstream::producer
