#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"

namespace slipstream::dfs::cli {

// What follows a verb: its flags, then its operands. The HDFS shell's rules: flags come first, are
// words of their own (`-R -h`, never `-Rh`), and end at `--` or at the first word that is none; a
// lone `-` is an operand. Flags may be written with two dashes.
class Arguments final {
 public:
  // The flags a verb knows, without dashes; "abort=" takes a value (`--abort X`, `--abort=X`).
  using FlagNames = std::set<std::string, std::less<>>;

  static constexpr size_t kAnyNumber = SIZE_MAX;
  struct Bounds {
    size_t operands_min = 0;
    size_t operands_max = kAnyNumber;
  };

  // Errors: kInvalidArgument with the HDFS shell's words.
  static Result<Arguments> Parse(std::span<const std::string> words,
                                 const FlagNames& known,
                                 const Bounds& bounds);

  bool Has(std::string_view flag) const { return flags_.contains(flag); }
  std::optional<std::string> Value(std::string_view flag) const;
  const std::vector<std::string>& operands() const { return operands_; }

 private:
  std::map<std::string, std::string, std::less<>> flags_;
  std::vector<std::string> operands_;
};

}  // namespace slipstream::dfs::cli
