#include "processor/engine/partition_time.h"

#include <algorithm>
#include <utility>

#include "processor/engine/sink_writer.h"
#include "processor/types/date_time.h"

namespace slipstream::sql {
namespace {

bool IsNamed(const std::string& column, const std::string& pattern) {
  return pattern.find("$" + column) != std::string::npos;
}

}  // namespace

Result<std::shared_ptr<const PartitionTime>> PartitionTime::Create(Options options) {
  if (options.columns.empty()) {
    return InvalidArgument("folders have a time only if the table is PARTITIONED BY columns");
  }
  if (options.pattern.empty()) options.pattern = "$" + options.columns.front();
  const bool names_one =
      std::any_of(options.columns.begin(), options.columns.end(), [&](const std::string& column) {
        return IsNamed(column, options.pattern);
      });
  if (!names_one) {
    return InvalidArgument("'" + options.pattern + "' names no column of PARTITIONED BY");
  }
  // "$day_of" before "$day", of which it begins with the name.
  std::stable_sort(options.columns.begin(),
                   options.columns.end(),
                   [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  std::optional<DatePattern> formatter;
  if (options.formatter) {
    ASSIGN_OR_RETURN(formatter, DatePattern::Parse(*options.formatter));
  }
  return std::shared_ptr<const PartitionTime>(
      new PartitionTime(std::move(options), std::move(formatter)));
}

std::optional<int64_t> PartitionTime::Of(std::string_view partition_path) const {
  std::string text = options_.pattern;
  for (const std::string& column : options_.columns) {
    if (!IsNamed(column, text)) continue;
    std::optional<Value> value;
    std::string_view rest = partition_path;
    for (size_t slash = rest.find('/'); slash != std::string_view::npos && !value;
         slash = rest.find('/')) {
      value = ReadPartitionFolder(rest.substr(0, slash), column);
      rest.remove_prefix(slash + 1);
    }
    if (!value || IsNull(*value)) return std::nullopt;
    const std::string& replacement = std::get<std::string>(*value);
    const std::string name = "$" + column;
    for (size_t at = text.find(name); at != std::string::npos;
         at = text.find(name, at + replacement.size())) {
      text.replace(at, name.size(), replacement);
    }
  }
  const std::optional<int64_t> local = formatter_ ? formatter_->Read(text) : ParseTimestamp(text);
  return local && options_.zone ? options_.zone->ToInstant(*local) : local;
}

}  // namespace slipstream::sql
