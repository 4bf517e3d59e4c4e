#pragma once

#include <map>
#include <string>
#include <string_view>

#include "processor/runtime/task_program.h"

namespace slipstream::fuzz {

// SavedState: what a task has saved, as its changelog would hold it.
class SavedState final : public runtime::StateWriter {
 public:
  using Entries = std::map<std::string, std::string>;

  void Put(std::string_view key, std::string_view value) override {
    entries.insert_or_assign(std::string(key), std::string(value));
  }
  void Delete(std::string_view key) override { entries.erase(std::string(key)); }

  Entries entries;
};

}  // namespace slipstream::fuzz
