#include "processor/formats/json_keys.h"

#include <optional>

namespace slipstream::sql {
namespace {

// Keys longer than this are not predicted.
constexpr size_t kPredictedBytesMax = JsonKeys::kReadBytesMax - 1;
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

int32_t JsonKeys::LookUp(const char* raw, size_t place) {
  const std::optional<std::string_view> key = PlainKey(raw);
  if (!key) return kEscaped;
  const int32_t field = FindText(*key);
  Learn(place, *key, field);
  return field;
}

int32_t JsonKeys::FindText(std::string_view key) const {
  const auto found = fields_by_name_.find(key);
  return found == fields_by_name_.end() ? kNone : found->second;
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
