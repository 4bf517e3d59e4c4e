#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "processor/types/data_type.h"

namespace slipstream::sql {

// JsonKeys: which field of a row a key of a JSON object names; internal to the decoder. Objects
// mostly have the same keys in the same order, so a key is compared with that of the last object at
// the same place before it is looked up.
//
// Input      keys are followed by a closing quote, and by kReadBytesMax readable bytes.
// Ownership  borrows the fields' names.
// Threads    one at a time.
class JsonKeys {
 public:
  static constexpr int32_t kNone = -1;
  static constexpr int32_t kEscaped = -2;
  // Find may read so far beyond the key's begin.
  static constexpr size_t kReadBytesMax = 33;

  explicit JsonKeys(const std::vector<Field>& fields);

  // The number of the field that the key at `raw`, behind its opening quote, names; kNone;
  // kEscaped: the key has escapes. `place`: how many keys of the object came before it.
  int32_t Find(const char* raw, size_t place) {
    if (place < predictions_.size()) {
      const Prediction& prediction = predictions_[place];
      const size_t size = prediction.key.size();
      if (std::memcmp(raw, prediction.key.data(), size) == 0 && raw[size] == '"') {
        return prediction.field;
      }
    }
    return LookUp(raw, place);
  }
  // Likewise of the key as a text.
  int32_t FindText(std::string_view key) const;

 private:
  // What the key at a place was last time, and what it named.
  struct Prediction {
    std::string key;
    int32_t field = kNone;
  };

  int32_t LookUp(const char* raw, size_t place);
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
