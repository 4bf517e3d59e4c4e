#include "processor/expr/function_table.h"
#include "processor/expr/type_rules.h"
#include "processor/types/utf8.h"

// LIKE: % is any text, _ one character; the optional third argument escapes them.

namespace slipstream::sql {
namespace {

// LikePattern: pattern pieces between the '%'s, matched greedily from the left; linear in the text
// for each piece.
class LikePattern {
 public:
  LikePattern(std::string_view pattern, std::optional<char> escape) {
    pieces_.emplace_back();
    for (size_t i = 0; i < pattern.size(); ++i) {
      const char c = pattern[i];
      if (escape && c == *escape) {
        if (++i < pattern.size()) pieces_.back().push_back({.byte = pattern[i]});
      } else if (c == '%') {
        pieces_.emplace_back();
      } else if (c == '_') {
        pieces_.back().push_back({.is_any = true});
      } else {
        pieces_.back().push_back({.byte = c});
      }
    }
  }

  bool Matches(std::string_view text) const {
    size_t used = 0;
    if (!MatchesAt(pieces_.front(), text, used)) return false;
    if (pieces_.size() == 1) return used == text.size();
    text.remove_prefix(used);
    for (size_t i = 1; i + 1 < pieces_.size(); ++i) {
      if (!SkipTo(pieces_[i], text)) return false;
    }
    return EndsWith(pieces_.back(), text);
  }

 private:
  struct Unit {
    char byte = 0;
    bool is_any = false;  // one character, not one byte
  };
  using Piece = std::vector<Unit>;

  static bool MatchesAt(const Piece& piece, std::string_view text, size_t& used) {
    used = 0;
    for (const Unit& unit : piece) {
      if (used >= text.size()) return false;
      if (unit.is_any) {
        used += CharacterBytes(text.substr(used));
      } else if (text[used++] != unit.byte) {
        return false;
      }
    }
    return true;
  }

  // Cuts `text` behind the first place where the piece matches.
  static bool SkipTo(const Piece& piece, std::string_view& text) {
    for (size_t start = 0; start <= text.size();) {
      size_t used = 0;
      if (MatchesAt(piece, text.substr(start), used)) {
        text.remove_prefix(start + used);
        return true;
      }
      if (start == text.size()) break;
      start += CharacterBytes(text.substr(start));
    }
    return false;
  }

  static bool EndsWith(const Piece& piece, std::string_view text) {
    for (size_t start = 0; start <= text.size();) {
      size_t used = 0;
      if (MatchesAt(piece, text.substr(start), used) && start + used == text.size()) return true;
      if (start == text.size()) break;
      start += CharacterBytes(text.substr(start));
    }
    return false;
  }

  std::vector<Piece> pieces_;  // never empty
};

void LikeKernel(const KernelCall& call, Column& out) {
  std::optional<LikePattern> pattern;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const std::string_view text = call.args[1].string_at(row);
    std::optional<char> escape;
    if (call.args.size() > 2) {
      const std::string_view mark = call.args[2].string_at(row);
      if (mark.size() != 1) {
        out.SetNull(row);
        call.errors.Add(row, "the escape of LIKE must be one character");
        continue;
      }
      escape = mark.front();
    }
    const bool is_constant =
        call.args[1].is_constant && (call.args.size() < 3 || call.args[2].is_constant);
    if (!pattern || !is_constant) pattern.emplace(text, escape);
    out.bools[row] = pattern->Matches(call.args[0].string_at(row)) ? 1 : 0;
  }
}

}  // namespace

void AddPatternFunctions(FunctionTable& table) {
  using Param = FunctionTable::Param;
  table.Add(
      "LIKE", {Param::kString, Param::kString, Param::kString}, 1, DataType::Boolean(), LikeKernel);
}

}  // namespace slipstream::sql
