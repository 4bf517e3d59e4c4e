#include <algorithm>
#include <map>
#include <memory>

#include <re2/re2.h>

#include "processor/expr/function_table.h"
#include "processor/expr/nested_cells.h"
#include "processor/expr/type_rules.h"
#include "processor/types/utf8.h"

// REGEXP and its kin, SIMILAR TO and STR_TO_MAP, with RE2: time and memory are linear in the text,
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
  // That of the second argument. nullptr: it is no pattern, and the row has failed.
  const re2::RE2* Get(const KernelCall& call, size_t row, Column& out) {
    return Get(call, row, call.args[1].string_at(row), out);
  }
  const re2::RE2* Get(const KernelCall& call, size_t row, std::string_view text, Column& out) {
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

// Calls `visit(groups)` with each match, group 0 first, as Java finds one after the other; a match
// of nothing is one too. It gives false to end.
template <class Visit>
void EachMatch(std::string_view text, const re2::RE2& pattern, Visit visit) {
  std::vector<re2::StringPiece> groups(
      static_cast<size_t>(std::min(pattern.NumberOfCapturingGroups() + 1, kGroupsMax)));
  const int count = static_cast<int>(groups.size());
  for (size_t at = 0; at <= text.size();) {
    if (!pattern.Match(Piece(text), at, text.size(), re2::RE2::UNANCHORED, groups.data(), count)) {
      return;
    }
    if (!visit(groups)) return;
    const auto end = static_cast<size_t>(groups[0].data() - text.data()) + groups[0].size();
    const bool is_empty = groups[0].empty();
    at = is_empty && end < text.size() ? end + CharacterBytes(text.substr(end)) : end;
    if (is_empty && end == text.size()) return;
  }
}

void CountKernel(const KernelCall& call, Column& out) {
  Patterns patterns;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const re2::RE2* const pattern = patterns.Get(call, row, out);
    if (pattern == nullptr) continue;
    int64_t count = 0;
    EachMatch(call.args[0].string_at(row), *pattern, [&](const auto&) {
      ++count;
      return true;
    });
    out.ints[row] = count;
  }
}

// The first match's place, in characters from 1; 0 without one.
void InstrKernel(const KernelCall& call, Column& out) {
  Patterns patterns;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const re2::RE2* const pattern = patterns.Get(call, row, out);
    if (pattern == nullptr) continue;
    const std::string_view text = call.args[0].string_at(row);
    out.ints[row] = 0;
    EachMatch(text, *pattern, [&](const std::vector<re2::StringPiece>& groups) {
      const auto begin = static_cast<size_t>(groups[0].data() - text.data());
      out.ints[row] = static_cast<int64_t>(CountCharacters(text.substr(0, begin))) + 1;
      return false;
    });
  }
}

// REGEXP_EXTRACT_ALL(text, pattern[, group]): the group (1, unless told; 0: all) of each match.
void ExtractAllKernel(const KernelCall& call, Column& out) {
  Patterns patterns;
  Column& elements = out.children[0];
  elements.Clear();
  out.offsets.assign(1, 0);
  // `out` gets its rows one by one, but any of them may be marked NULL.
  if (out.valid.empty()) out.valid.assign(call.rows, 1);
  for (size_t row = 0; row < call.rows; ++row) {
    const re2::RE2* const pattern = out.is_null(row) ? nullptr : patterns.Get(call, row, out);
    const int64_t group = call.args.size() > 2 && pattern != nullptr ? call.args[2].int_at(row) : 1;
    const bool has_group = pattern != nullptr && group >= 0 && group < kGroupsMax &&
                           group <= pattern->NumberOfCapturingGroups();
    if (!has_group) {
      out.SetNull(row);
    } else {
      EachMatch(call.args[0].string_at(row), *pattern, [&](const auto& groups) {
        const re2::StringPiece& found = groups[static_cast<size_t>(group)];
        if (found.data() == nullptr) {
          elements.AppendNull();
        } else {
          if (elements.has_nulls()) elements.valid.push_back(1);
          elements.strings.emplace_back(found.data(), found.size());
        }
        return true;
      });
    }
    out.offsets.push_back(static_cast<uint32_t>(elements.size()));
  }
}

// SQL's pattern as a regular expression: % is any text, _ one character; | * + ? { } ( ) [ ] are
// those of regular expressions, and nothing else is.
std::string FromSimilar(std::string_view similar, std::optional<char> escape) {
  std::string pattern = "(?s)^(?:";
  bool is_in_set = false;
  for (size_t i = 0; i < similar.size(); ++i) {
    const char c = similar[i];
    if (escape && c == *escape && i + 1 < similar.size()) {
      pattern += re2::RE2::QuoteMeta(Piece(similar.substr(++i, 1)));
    } else if (is_in_set || c == '[') {
      is_in_set = c != ']';
      pattern.push_back(c);
    } else if (c == '%') {
      pattern += ".*";
    } else if (c == '_') {
      pattern.push_back('.');
    } else if (c == '.' || c == '^' || c == '$' || c == '\\') {
      pattern.push_back('\\');
      pattern.push_back(c);
    } else {
      pattern.push_back(c);
    }
  }
  return pattern + ")$";
}

void SimilarKernel(const KernelCall& call, Column& out) {
  Patterns patterns;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    std::optional<char> escape;
    if (call.args.size() > 2 && !call.args[2].string_at(row).empty()) {
      escape = call.args[2].string_at(row).front();
    }
    const re2::RE2* const pattern =
        patterns.Get(call, row, FromSimilar(call.args[1].string_at(row), escape), out);
    if (pattern == nullptr) continue;
    out.bools[row] = re2::RE2::PartialMatch(Piece(call.args[0].string_at(row)), *pattern) ? 1 : 0;
  }
}

// STR_TO_MAP(text[, pattern between entries[, pattern between key and value]]). Of equal keys the
// last one counts; what has no value is a key of NULL.
void StrToMapKernel(const KernelCall& call, Column& out) {
  Patterns patterns;
  for (Column& child : out.children)
    child.Clear();
  out.offsets.assign(1, 0);
  if (out.valid.empty()) out.valid.assign(call.rows, 1);
  for (size_t row = 0; row < call.rows; ++row) {
    const auto pattern_at = [&](size_t arg, std::string_view fallback) {
      return patterns.Get(
          call, row, call.args.size() > arg ? call.args[arg].string_at(row) : fallback, out);
    };
    const re2::RE2* const between = out.is_null(row) ? nullptr : pattern_at(1, ",");
    const re2::RE2* const within = between == nullptr ? nullptr : pattern_at(2, "=");
    if (within != nullptr) {
      const std::string_view text = call.args[0].string_at(row);
      std::map<std::string_view, std::optional<std::string_view>> entries;
      const auto add = [&](std::string_view entry) {
        std::string_view key = entry;
        std::optional<std::string_view> value;
        EachMatch(entry, *within, [&](const std::vector<re2::StringPiece>& groups) {
          const auto begin = static_cast<size_t>(groups[0].data() - entry.data());
          key = entry.substr(0, begin);
          value = entry.substr(begin + groups[0].size());
          return false;
        });
        entries[key] = value;
      };
      size_t begin = 0;
      EachMatch(text, *between, [&](const std::vector<re2::StringPiece>& groups) {
        if (groups[0].empty()) return true;
        const auto end = static_cast<size_t>(groups[0].data() - text.data());
        add(text.substr(begin, end - begin));
        begin = end + groups[0].size();
        return true;
      });
      if (begin < text.size()) add(text.substr(begin));
      for (const auto& [key, value] : entries) {
        out.children[0].strings.push_back(key);
        if (value && out.children[1].has_nulls()) out.children[1].valid.push_back(1);
        if (value) {
          out.children[1].strings.push_back(*value);
        } else {
          out.children[1].AppendNull();
        }
      }
    }
    out.offsets.push_back(static_cast<uint32_t>(out.children[0].size()));
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
  table.Add("REGEXP_COUNT", {Param::kString, Param::kString}, 0, DataType::Int(), CountKernel);
  table.Add("REGEXP_INSTR", {Param::kString, Param::kString}, 0, DataType::Int(), InstrKernel);
  table.Add("REGEXP_SUBSTR", {Param::kString, Param::kString}, 0, text, ExtractKernel);
  table.Add("REGEXP_EXTRACT_ALL",
            {Param::kString, Param::kString, Param::kInteger},
            1,
            ArrayOf(text, true),
            ExtractAllKernel);
  table.Add("SIMILAR TO",
            {Param::kString, Param::kString, Param::kString},
            1,
            DataType::Boolean(),
            SimilarKernel);
  table.Add("STR_TO_MAP",
            {Param::kString, Param::kString, Param::kString},
            2,
            MapOf(AsNullable(text, false), text, true),
            StrToMapKernel);
}

}  // namespace slipstream::sql
