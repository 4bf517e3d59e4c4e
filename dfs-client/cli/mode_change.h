#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "dfs-client/file_types.h"

namespace slipstream::dfs::cli {

// ModeChange: what chmod's first operand asks for: "754", "1777", "u+x,g-w", "=r", "+t", "a+rX".
// As HDFS has it: octal with three digits or four, letters rwxXt, and without any of `augo` all
// are meant, whatever the umask.
class ModeChange final {
 public:
  // Nothing for anything else.
  static std::optional<ModeChange> Parse(std::string_view text);

  // The permission bits after it. X is x for directories and for what somebody may execute.
  uint32_t Apply(FileKind kind, uint32_t mode) const;

 private:
  struct Step {
    uint32_t who = 0;  // a mask over the permission bits
    char operation = '=';
    uint32_t bits = 0;  // rwx once for each of them, before the mask; t
    bool has_x_if = false;
  };
  static bool ParseClause(std::string_view clause, std::vector<Step>& steps);

  std::vector<Step> steps_;
};

}  // namespace slipstream::dfs::cli
