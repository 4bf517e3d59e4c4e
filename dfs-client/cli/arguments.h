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
  // The flags a verb knows, without dashes:
  //   "f"       alone
  //   "abort="  with a value: `--abort X`, `--abort=X`
  //   "t?"      with a value if one can follow: the next word is no flag, and not one of the last
  //             operands that the verb needs
  //   "p*"      with letters attached or not: `-p`, `-ptopax`
  using FlagNames = std::set<std::string, std::less<>>;

  static constexpr size_t kAnyNumber = SIZE_MAX;
  // Where flags may stand and what becomes of unknown ones.
  enum class FlagRule {
    kFirst,        // as above
    kAnywhere,     // also behind operands (fsck)
    kUnknownStay,  // first, and unknown ones are operands (chmod's `-w`, find's expressions)
  };
  struct Bounds {
    size_t operands_min = 0;
    size_t operands_max = kAnyNumber;
    FlagRule flag_rule = FlagRule::kFirst;
  };

  // Errors: kInvalidArgument with the HDFS shell's words.
  static Result<Arguments> Parse(std::span<const std::string> words,
                                 const FlagNames& known,
                                 const Bounds& bounds);

  bool Has(std::string_view flag) const { return flags_.contains(flag); }
  // Of a flag that is given; empty where it has none.
  std::optional<std::string> Value(std::string_view flag) const;
  // A number in [low, high]; nothing where the flag is not given or has no value. kInvalidArgument
  // for anything else.
  Result<std::optional<uint64_t>> Number(std::string_view flag, uint64_t low, uint64_t high) const;
  const std::vector<std::string>& operands() const { return operands_; }

 private:
  // Takes the flag at `words[i]` and its value, if it has one, and moves `i` behind them. False if
  // it is not known.
  Result<bool> TakeFlag(std::span<const std::string> words,
                        const FlagNames& known,
                        const Bounds& bounds,
                        size_t& i);

  std::map<std::string, std::string, std::less<>> flags_;
  std::vector<std::string> operands_;
};

// A decimal number, nothing else around it. kInvalidArgument in Java's words, which is what the
// HDFS shell shows: For input string: "x".
Result<int64_t> ParseNumber(const std::string& text);

}  // namespace slipstream::dfs::cli
