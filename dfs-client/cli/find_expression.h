#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "common/status/status.h"
#include "dfs-client/cli/format.h"

namespace slipstream::dfs::cli {

// FindExpression: what `find` asks of each item and does with it.
//
//   primaries   -name P, -iname P (a pattern for the last name), -type f|d, -empty,
//               -print, -print0 (print it, with a line end or a zero byte; true)
//   operators   ( E )   ! E, -not E   E E, E -a E, E -and E   E -o E, E -or E
//
// Of HDFS: -name, -iname, -print, -print0, -a, -and, parentheses. Without any -print the whole is
// printed that holds.
class FindExpression final {
 public:
  // `print` takes what is to be printed.
  using Print = std::function<void(const std::string&)>;

  // `words` from the first that begins with a dash on. Errors: kInvalidArgument in HDFS's words.
  static Result<FindExpression> Parse(std::span<const std::string> words, Print print);

  // Does what is to be done with `item`.
  void Apply(const Item& item) const { (void)root_(item); }

 private:
  using Test = std::function<bool(const Item&)>;
  class Parser;
  explicit FindExpression(Test root) : root_(std::move(root)) {}

  Test root_;
};

}  // namespace slipstream::dfs::cli
