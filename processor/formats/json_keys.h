#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <simdjson.h>

#include "processor/types/data_type.h"

namespace slipstream::sql {

// JsonKeys: which field of a row a key of a JSON object names; internal to the decoder. Objects
// mostly have the same keys in the same order, so a key is compared with that of the last object at
// the same place before it is looked up.
//
// Ownership  borrows the fields' names.
// Threads    one at a time.
class JsonKeys {
 public:
  static constexpr int32_t kNone = -1;

  explicit JsonKeys(const std::vector<Field>& fields);

  // Sets `found` to the number of the field, or to kNone. `place`: how many keys of the object came
  // before this one.
  simdjson::error_code Find(simdjson::ondemand::field& field, size_t place, int32_t& found) {
    if (place < predictions_.size()) {
      const Prediction& prediction = predictions_[place];
      const char* const raw = field.key().raw();
      const size_t size = prediction.key.size();
      if (std::memcmp(raw, prediction.key.data(), size) == 0 && raw[size] == '"') {
        found = prediction.field;
        return simdjson::SUCCESS;
      }
    }
    return LookUp(field, place, found);
  }

 private:
  // What the key at a place was last time, and what it named.
  struct Prediction {
    std::string key;
    int32_t field = kNone;
  };

  simdjson::error_code LookUp(simdjson::ondemand::field& field, size_t place, int32_t& found);
  void Learn(size_t place, std::string_view key, int32_t field);

  absl::flat_hash_map<std::string_view, int32_t> fields_by_name_;
  std::vector<Prediction> predictions_;
};

// JsonShape: the keys of a row, and likewise of the values within it.
struct JsonShape {
  JsonShape(const std::vector<Field>& fields, PhysicalKind physical_kind);

  PhysicalKind physical;
  JsonKeys keys;
  std::vector<JsonShape> children;  // one a field; of a scalar empty
};

}  // namespace slipstream::sql
