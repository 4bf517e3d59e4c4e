#include "processor/formats/json_keys.h"

#include <optional>

namespace slipstream::sql {
namespace {

// Keys longer than this are not predicted: a comparison may read as far past a record's end as its
// padding reaches.
constexpr size_t kPredictedBytesMax = simdjson::SIMDJSON_PADDING / 2;
constexpr size_t kPredictionsMax = 256;

// The key's text if it has no escapes; nullopt otherwise. `raw` points behind its opening quote.
std::optional<std::string_view> PlainKey(const char* raw) {
  const char* end = raw;
  while (*end != '"') {
    if (*end == '\\') return std::nullopt;
    ++end;
  }
  return std::string_view(raw, static_cast<size_t>(end - raw));
}

}  // namespace

JsonKeys::JsonKeys(const std::vector<Field>& fields) {
  for (size_t i = 0; i < fields.size(); ++i)
    fields_by_name_.emplace(fields[i].name, static_cast<int32_t>(i));
}

simdjson::error_code JsonKeys::LookUp(simdjson::ondemand::field& field,
                                      size_t place,
                                      int32_t& found) {
  const std::optional<std::string_view> plain = PlainKey(field.key().raw());
  std::string_view key;
  if (plain) {
    key = *plain;
  } else if (const auto error = field.unescaped_key().get(key)) {
    return error;
  }
  const auto by_name = fields_by_name_.find(key);
  found = by_name == fields_by_name_.end() ? kNone : by_name->second;
  if (plain) Learn(place, key, found);
  return simdjson::SUCCESS;
}

void JsonKeys::Learn(size_t place, std::string_view key, int32_t field) {
  if (place >= kPredictionsMax || key.size() > kPredictedBytesMax || key.empty()) return;
  while (predictions_.size() < place)
    predictions_.push_back({.key = "\"", .field = kNone});  // matches no key
  if (place == predictions_.size()) predictions_.emplace_back();
  predictions_[place].key = key;
  predictions_[place].field = field;
}

JsonShape::JsonShape(const std::vector<Field>& fields, PhysicalKind physical_kind)
    : physical(physical_kind), keys(fields) {
  static const std::vector<Field> none;
  children.reserve(fields.size());
  for (const Field& field : fields) {
    const auto& within = field.type.children;
    children.emplace_back(within ? *within : none, PhysicalKindOf(field.type.kind));
  }
}

}  // namespace slipstream::sql
