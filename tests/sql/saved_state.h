#pragma once

#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace slipstream::sql {

// SavedState: what a task has saved, in memory. `Writer` is runtime::StateWriter, for a task's
// whole changelog, or StateSink, for operators alone. A key that is deleted must have been saved.
template <class Writer>
class SavedState final : public Writer {
 public:
  void Put(std::string_view key, std::string_view value) override {
    entries[std::string(key)] = value;
  }
  void Delete(std::string_view key) override {
    EXPECT_EQ(entries.erase(std::string(key)), 1U) << "a key is deleted that was never saved";
  }

  std::map<std::string, std::string> entries;
};

}  // namespace slipstream::sql
