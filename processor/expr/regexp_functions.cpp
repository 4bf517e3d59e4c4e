#include <algorithm>
#include <map>
#include <memory>

#include <re2/re2.h>

#include "processor/expr/function_table.h"

// REGEXP, REGEXP_EXTRACT and REGEXP_REPLACE, with RE2: time and memory are linear in the text,
// whatever the pattern. What Java's patterns have and RE2's do not (looking ahead and behind, back
// references) is the row's error.

namespace slipstream::sql {
namespace {

constexpr int64_t kPatternBytesMax = 8 << 20;  // of memory, for one compiled pattern
constexpr size_t kPatternsMax = 64;            // kept while one batch is computed
constexpr int kGroupsMax = 64;

// The pattern at hand, compiled once for as long as it stays the same.
class Patterns {
 public:
  // nullptr: it is no pattern, and the row has failed.
  const re2::RE2* Get(const KernelCall& call, size_t row, Column& out) {
    const std::string_view text = call.args[1].string_at(row);
    auto found = compiled_.find(text);
    if (found == compiled_.end()) {
      if (compiled_.size() >= kPatternsMax) compiled_.clear();
      re2::RE2::Options options;
      options.set_log_errors(false);
      options.set_max_mem(kPatternBytesMax);
      found = compiled_
                  .emplace(std::string(text),
                           std::make_unique<re2::RE2>(re2::StringPiece(text.data(), text.size()),
                                                      options))
                  .first;
    }
    const re2::RE2& pattern = *found->second;
    if (pattern.ok()) return &pattern;
    out.SetNull(row);
    call.errors.Add(row, "regular expression: " + pattern.error());
    return nullptr;
  }

 private:
  std::map<std::string, std::unique_ptr<re2::RE2>, std::less<>> compiled_;
};

re2::StringPiece Piece(std::string_view text) {
  return {text.data(), text.size()};
}

void RegexpKernel(const KernelCall& call, Column& out) {
  Patterns patterns;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const re2::RE2* const pattern = patterns.Get(call, row, out);
    if (pattern == nullptr) continue;
    out.bools[row] = re2::RE2::PartialMatch(Piece(call.args[0].string_at(row)), *pattern) ? 1 : 0;
  }
}

// The group (0: all) of the first match; NULL without one.
void ExtractKernel(const KernelCall& call, Column& out) {
  Patterns patterns;
  std::vector<re2::StringPiece> groups(kGroupsMax);
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const re2::RE2* const pattern = patterns.Get(call, row, out);
    if (pattern == nullptr) continue;
    const int64_t group = call.args.size() > 2 ? call.args[2].int_at(row) : 0;
    const std::string_view text = call.args[0].string_at(row);
    const int count = std::min(pattern->NumberOfCapturingGroups() + 1, kGroupsMax);
    const bool is_match =
        group >= 0 && group < count &&
        pattern->Match(Piece(text), 0, text.size(), re2::RE2::UNANCHORED, groups.data(), count);
    const re2::StringPiece found =
        is_match ? groups[static_cast<size_t>(group)] : re2::StringPiece();
    if (found.data() == nullptr) {
      out.SetNull(row);
    } else {
      out.strings[row] = {found.data(), found.size()};
    }
  }
}

// Every match by the third argument as it stands.
void ReplaceKernel(const KernelCall& call, Column& out) {
  Patterns patterns;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const re2::RE2* const pattern = patterns.Get(call, row, out);
    if (pattern == nullptr) continue;
    std::string rewrite;
    for (const char c : call.args[2].string_at(row)) {
      rewrite.push_back(c);
      if (c == '\\') rewrite.push_back(c);
    }
    std::string text(call.args[0].string_at(row));
    re2::RE2::GlobalReplace(&text, *pattern, rewrite);
    out.strings[row] = call.arena.Copy(text);
  }
}

}  // namespace

void AddRegexpFunctions(FunctionTable& table) {
  using Param = FunctionTable::Param;
  const DataType text = DataType::String();
  table.Add("REGEXP", {Param::kString, Param::kString}, 0, DataType::Boolean(), RegexpKernel);
  table.Add(
      "REGEXP_EXTRACT", {Param::kString, Param::kString, Param::kInteger}, 1, text, ExtractKernel);
  table.Add(
      "REGEXP_REPLACE", {Param::kString, Param::kString, Param::kString}, 0, text, ReplaceKernel);
}

}  // namespace slipstream::sql
