#include "gateway/charts/records.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace slipstream::gateway::charts {
namespace {

using Json = nlohmann::ordered_json;

constexpr int32_t kPartitionsMax = 100;

Json TextJson(const std::optional<std::string_view>& text) {
  if (!text.has_value()) return nullptr;
  return std::string(text->substr(0, kFieldBytesMax));
}

Json RecordJson(const KafkaReads::Record& record) {
  Json headers = Json::object();
  for (const auto& [name, value] : record.headers)
    headers[std::string(name)] = TextJson(value);
  return {{"partition", record.partition},
          {"offset", record.offset},
          {"at_ms", record.at_ms},
          {"key", TextJson(record.key)},
          {"value", TextJson(record.value)},
          {"value_bytes", record.value.has_value() ? record.value->size() : 0},
          {"headers", std::move(headers)}};
}

}  // namespace

Result<std::string> NewestRecordsText(KafkaReads& reads,
                                      const std::string& topic,
                                      size_t records_max) {
  ASSIGN_OR_RETURN(const int32_t partitions, reads.PartitionCount(topic));
  records_max = std::min(records_max, kRecordsMax);
  std::vector<Json> records;
  for (int32_t partition = 0; partition < std::min(partitions, kPartitionsMax); ++partition) {
    std::optional<int64_t> next;
    // Marks of transactions have offsets, too: so there may be fewer than that.
    RETURN_IF_ERROR(reads
                        .ReadOn(topic,
                                partition,
                                2 * static_cast<int64_t>(records_max),
                                2 * records_max,
                                next,
                                [&](const KafkaReads::Record& record) {
                                  records.push_back(RecordJson(record));
                                })
                        .status());
  }
  std::stable_sort(records.begin(), records.end(), [](const Json& a, const Json& b) {
    return a["at_ms"].get<int64_t>() > b["at_ms"].get<int64_t>();
  });
  if (records.size() > records_max) records.resize(records_max);
  return Json{{"topic", topic}, {"records", std::move(records)}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace slipstream::gateway::charts
