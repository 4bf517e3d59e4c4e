#include <algorithm>
#include <map>

#include "processor/expr/function_table.h"
#include "processor/expr/type_rules.h"
#include "processor/types/utf8.h"

// Functions of text. Positions and lengths are in characters, positions begin at 1.

namespace slipstream::sql {
namespace {

using Param = FunctionTable::Param;
using Signature = ScalarFunction::Signature;
using Args = std::span<const ExpressionPtr>;

constexpr int64_t kTextBytesMax = 64 << 20;  // of a result; REPEAT and LPAD could ask for any size

// Rows for which `compute` gives nullopt are NULL.
template <class Compute>
void EachText(const KernelCall& call, Column& out, Compute compute) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const std::optional<std::string_view> text = compute(row);
    if (text) {
      out.strings[row] = *text;
    } else {
      out.SetNull(row);
    }
  }
}

// ---- Case ----

// Letters beyond ASCII: Latin-1, Greek and Cyrillic, which have plain pairs; others stay.
uint32_t ShiftCase(uint32_t letter, bool up) {
  const auto in = [letter](uint32_t first, uint32_t last) {
    return letter >= first && letter <= last;
  };
  if (up) {
    if (in('a', 'z') || (in(0xE0, 0xFE) && letter != 0xF7) ||
        (in(0x3B1, 0x3C9) && letter != 0x3C2) || in(0x430, 0x44F)) {
      return letter - 0x20;
    }
    if (in(0x450, 0x45F)) return letter - 0x50;
    if (in(0x100, 0x17F) && letter % 2 == 1 && !in(0x138, 0x148) && !in(0x178, 0x17F)) {
      return letter - 1;
    }
    return letter;
  }
  if (in('A', 'Z') || (in(0xC0, 0xDE) && letter != 0xD7) || (in(0x391, 0x3A9) && letter != 0x3A2) ||
      in(0x410, 0x42F)) {
    return letter + 0x20;
  }
  if (in(0x400, 0x40F)) return letter + 0x50;
  if (in(0x100, 0x17F) && letter % 2 == 0 && !in(0x138, 0x148) && !in(0x178, 0x17F)) {
    return letter + 1;
  }
  return letter;
}

uint32_t DecodeCharacter(std::string_view bytes) {
  const auto lead = static_cast<uint8_t>(bytes.front());
  if (bytes.size() == 1) return lead;
  uint32_t code_point = lead & (0xFFU >> (bytes.size() + 1));
  for (char c : bytes.substr(1))
    code_point = (code_point << 6) | (static_cast<uint8_t>(c) & 0x3F);
  return code_point;
}

template <bool kUp>
void CaseKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string_view> {
    const std::string_view text = call.args[0].string_at(row);
    if (IsAscii(text)) {
      char* shifted = call.arena.Allocate(text.size());
      std::transform(text.begin(), text.end(), shifted, [](char c) {
        return static_cast<char>(ShiftCase(static_cast<uint8_t>(c), kUp));
      });
      return std::string_view(shifted, text.size());
    }
    std::string shifted;
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view character = rest.substr(0, CharacterBytes(rest));
      rest.remove_prefix(character.size());
      const auto lead = static_cast<uint8_t>(character.front());
      if (character.size() == 1 && lead >= 0x80) {
        shifted.append(character);
      } else {
        AppendUtf8(shifted, ShiftCase(DecodeCharacter(character), kUp));
      }
    }
    return call.arena.Copy(shifted);
  });
}

// ---- Parts ----

// SUBSTRING(text FROM start [FOR length]); a negative start counts from the end.
void SubstringKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string_view> {
    const std::string_view text = call.args[0].string_at(row);
    int64_t start = call.args[1].int_at(row);
    int64_t length = INT32_MAX;
    if (call.args.size() > 2) {
      length = call.args[2].int_at(row);
      if (length < 0) return std::nullopt;
    }
    const auto characters = static_cast<int64_t>(CountCharacters(text));
    if (start < 0) {
      start = characters + start;
      if (start < 0) return std::string_view();
    } else if (start > 0) {
      --start;
    }
    if (start >= characters) return std::string_view();
    const std::string_view tail = text.substr(BytesOfCharacters(text, static_cast<size_t>(start)));
    return FirstCharacters(tail, static_cast<size_t>(length));
  });
}

template <bool kFromLeft>
void EndKernel(const KernelCall& call, Column& out) {  // LEFT and RIGHT
  EachText(call, out, [&](size_t row) -> std::optional<std::string_view> {
    const std::string_view text = call.args[0].string_at(row);
    const int64_t wanted = std::max<int64_t>(call.args[1].int_at(row), 0);
    if (kFromLeft) return FirstCharacters(text, static_cast<size_t>(wanted));
    const size_t characters = CountCharacters(text);
    const auto count = std::min(static_cast<size_t>(wanted), characters);
    return text.substr(BytesOfCharacters(text, characters - count));
  });
}

// ---- Joining ----

void ConcatKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string_view> {
    size_t bytes = 0;
    for (const Operand& arg : call.args)
      bytes += arg.string_at(row).size();
    char* joined = call.arena.Allocate(bytes);
    char* at = joined;
    for (const Operand& arg : call.args) {
      const std::string_view part = arg.string_at(row);
      at = std::copy(part.begin(), part.end(), at);
    }
    return std::string_view(joined, bytes);
  });
}

// NULL only if the separator is; other NULLs are left out.
void ConcatWsKernel(const KernelCall& call, Column& out) {
  std::string joined;
  for (size_t row = 0; row < call.rows; ++row) {
    if (call.args[0].is_null(row)) {
      out.SetNull(row);
      continue;
    }
    joined.clear();
    bool is_first = true;
    for (const Operand& arg : call.args.subspan(1)) {
      if (arg.is_null(row)) continue;
      if (!is_first) joined += call.args[0].string_at(row);
      joined += arg.string_at(row);
      is_first = false;
    }
    out.strings[row] = call.arena.Copy(joined);
  }
}

template <bool kLeft>
void PadKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string_view> {
    const std::string_view text = call.args[0].string_at(row);
    const int64_t wanted = call.args[1].int_at(row);
    const std::string_view fill = call.args.size() > 2 ? call.args[2].string_at(row) : " ";
    if (wanted < 0 || wanted > kTextBytesMax) return std::nullopt;
    const auto length = static_cast<size_t>(wanted);
    const size_t characters = CountCharacters(text);
    if (characters >= length) return FirstCharacters(text, length);
    if (fill.empty()) return std::nullopt;
    const size_t missing = length - characters;
    const size_t fill_characters = CountCharacters(fill);
    std::string padding;
    for (size_t i = 0; i < missing / fill_characters; ++i)
      padding += fill;
    padding += FirstCharacters(fill, missing % fill_characters);
    std::string padded(kLeft ? padding : std::string(text));
    padded += kLeft ? text : std::string_view(padding);
    return call.arena.Copy(padded);
  });
}

void RepeatKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string_view> {
    const std::string_view text = call.args[0].string_at(row);
    const int64_t times = std::max<int64_t>(call.args[1].int_at(row), 0);
    if (text.empty() || times == 0) return std::string_view();
    if (times > kTextBytesMax / static_cast<int64_t>(text.size())) return std::nullopt;
    std::string repeated;
    for (int64_t i = 0; i < times; ++i)
      repeated += text;
    return call.arena.Copy(repeated);
  });
}

// ---- Trimming ----

template <bool kLeft, bool kRight>
void TrimKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string_view> {
    std::string_view text = call.args[0].string_at(row);
    const std::string_view unwanted = call.args.size() > 1 ? call.args[1].string_at(row) : " ";
    if (kLeft) text.remove_prefix(std::min(text.find_first_not_of(unwanted), text.size()));
    if (kRight) {
      const size_t last = text.find_last_not_of(unwanted);
      text = last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
    }
    return text;
  });
}

// ---- The rest ----

void LengthKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    out.ints[row] = static_cast<int64_t>(CountCharacters(call.args[0].string_at(row)));
  }
}

void PositionKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const std::string_view text = call.args[1].string_at(row);
    const size_t found = text.find(call.args[0].string_at(row));
    out.ints[row] = found == std::string_view::npos
                        ? 0
                        : static_cast<int64_t>(CountCharacters(text.substr(0, found))) + 1;
  }
}

void ReplaceKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string_view> {
    std::string_view text = call.args[0].string_at(row);
    const std::string_view search = call.args[1].string_at(row);
    if (search.empty() || text.find(search) == std::string_view::npos) return text;
    std::string replaced;
    for (size_t found = text.find(search); found != std::string_view::npos;
         found = text.find(search)) {
      replaced.append(text.substr(0, found)).append(call.args[2].string_at(row));
      text.remove_prefix(found + search.size());
    }
    return call.arena.Copy(replaced.append(text));
  });
}

void ReverseKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string_view> {
    std::string_view text = call.args[0].string_at(row);
    char* reversed = call.arena.Allocate(text.size());
    char* end = reversed + text.size();
    const size_t bytes = text.size();
    while (!text.empty()) {
      const std::string_view character = text.substr(0, CharacterBytes(text));
      end -= character.size();
      std::copy(character.begin(), character.end(), end);
      text.remove_prefix(character.size());
    }
    return std::string_view(reversed, bytes);
  });
}

// OVERLAY(text PLACING part FROM start [FOR length]): a start outside of the text changes nothing.
void OverlayKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string_view> {
    const std::string_view text = call.args[0].string_at(row);
    const std::string_view part = call.args[1].string_at(row);
    const int64_t start = call.args[2].int_at(row);
    const auto characters = static_cast<int64_t>(CountCharacters(text));
    if (start <= 0 || start > characters) return text;
    const int64_t length = call.args.size() > 3 ? call.args[3].int_at(row)
                                                : static_cast<int64_t>(CountCharacters(part));
    std::string overlaid(FirstCharacters(text, static_cast<size_t>(start - 1)));
    overlaid += part;
    // As in Flink, a length of zero or less takes the rest away.
    if (length > 0 && length <= characters - start) {
      overlaid += text.substr(BytesOfCharacters(text, static_cast<size_t>(start - 1 + length)));
    }
    return call.arena.Copy(overlaid);
  });
}

// TRANSLATE(text, from, to): each character of `from` becomes the one at its place in `to`, or
// nothing if there is none.
void TranslateKernel(const KernelCall& call, Column& out) {
  const auto take = [](std::string_view& text) {
    const std::string_view character = text.substr(0, CharacterBytes(text));
    text.remove_prefix(character.size());
    return character;
  };
  EachText(call, out, [&](size_t row) -> std::optional<std::string_view> {
    std::map<std::string_view, std::string_view> replacements;
    std::string_view from = call.args[1].string_at(row);
    std::string_view to = call.args[2].string_at(row);
    while (!from.empty()) {
      const std::string_view character = take(from);
      replacements.emplace(character, to.empty() ? to : take(to));
    }
    std::string translated;
    for (std::string_view text = call.args[0].string_at(row); !text.empty();) {
      const std::string_view character = take(text);
      const auto replacement = replacements.find(character);
      translated += replacement == replacements.end() ? character : replacement->second;
    }
    return call.arena.Copy(translated);
  });
}

// ELT(number, text, …): the text of that number, from 1.
void EltKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    const auto last = static_cast<int64_t>(call.args.size()) - 1;
    const int64_t number = call.args[0].is_null(row) ? 0 : call.args[0].int_at(row);
    const bool is_there = number >= 1 && number <= last;
    if (!is_there || call.args[static_cast<size_t>(number)].is_null(row)) {
      out.SetNull(row);
    } else {
      out.strings[row] = call.args[static_cast<size_t>(number)].string_at(row);
    }
  }
}

std::optional<Signature> BindElt(Args args) {
  if (args.size() < 2 || !FitParam(Param::kInteger, args[0]->type)) return std::nullopt;
  DataType common;
  for (const ExpressionPtr& arg : args.subspan(1)) {
    const std::optional<DataType> next = CommonTypeOf(common, arg->type, false);
    if (!next) return std::nullopt;
    common = *next;
  }
  if (!common.is_string() && !common.is_binary()) return std::nullopt;
  Signature signature{.args = std::vector<DataType>(args.size(), common),
                      .result = AsNullable(common)};
  signature.args.front() = DataType::BigInt();
  return signature;
}

// SPLIT_INDEX(text, separator, index from 0): NULL where there is no such part.
std::optional<std::string_view> SplitIndex(std::string_view text,
                                           std::string_view separator,
                                           int64_t index) {
  if (index < 0 || separator.empty()) return std::nullopt;
  while (true) {
    const size_t found = text.find(separator);
    if (index == 0) return text.substr(0, found);
    if (found == std::string_view::npos) return std::nullopt;
    text.remove_prefix(found + separator.size());
    --index;
  }
}

void SplitIndexKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) {
    return SplitIndex(
        call.args[0].string_at(row), call.args[1].string_at(row), call.args[2].int_at(row));
  });
}

// The separator as the number of a character, 1 to 255.
void SplitIndexByNumberKernel(const KernelCall& call, Column& out) {
  EachText(call, out, [&](size_t row) -> std::optional<std::string_view> {
    const int64_t number = call.args[1].int_at(row);
    if (number < 1 || number > 255) return std::nullopt;
    std::string separator;
    AppendUtf8(separator, static_cast<uint32_t>(number));
    return SplitIndex(call.args[0].string_at(row), separator, call.args[2].int_at(row));
  });
}

// Any number of texts, at least `least`.
void AddVariadic(FunctionTable& table,
                 const char* name,
                 size_t least,
                 ScalarFunction::Evaluation evaluation,
                 Kernel kernel) {
  ScalarFunction function;
  function.name = name;
  function.usage = std::string(name) + "(STRING, …)";
  function.bind = [least](Args args) -> std::optional<Signature> {
    if (args.size() < least) return std::nullopt;
    Signature signature{.args = {}, .result = AsNullable(DataType::String(), false)};
    for (const ExpressionPtr& arg : args) {
      if (!FitParam(Param::kString, arg->type)) return std::nullopt;
      signature.args.push_back(DataType::String());
      signature.result.nullable |= arg->type.nullable;
    }
    return signature;
  };
  function.kernel = kernel;
  function.evaluation = evaluation;
  table.Add(std::move(function));
}

}  // namespace

void AddTextFunctions(FunctionTable& table) {
  const DataType text = DataType::String();
  constexpr Param kText = Param::kString;
  constexpr Param kNumber = Param::kInteger;
  table.Add("UPPER", {kText}, 0, text, CaseKernel<true>);
  table.Add("LOWER", {kText}, 0, text, CaseKernel<false>);
  for (const char* name : {"SUBSTRING", "SUBSTR"}) {
    table.Add(name, {kText, kNumber, kNumber}, 1, text, SubstringKernel);
  }
  table.Add("LEFT", {kText, kNumber}, 0, text, EndKernel<true>);
  table.Add("RIGHT", {kText, kNumber}, 0, text, EndKernel<false>);
  AddVariadic(table, "||", 2, ScalarFunction::Evaluation::kStrict, ConcatKernel);
  AddVariadic(table, "CONCAT", 1, ScalarFunction::Evaluation::kStrict, ConcatKernel);
  AddVariadic(table, "CONCAT_WS", 1, ScalarFunction::Evaluation::kLoose, ConcatWsKernel);
  table.Add("LPAD", {kText, kNumber, kText}, 1, text, PadKernel<true>);
  table.Add("RPAD", {kText, kNumber, kText}, 1, text, PadKernel<false>);
  table.Add("REPEAT", {kText, kNumber}, 0, text, RepeatKernel);
  table.Add("TRIM", {kText, kText}, 1, text, TrimKernel<true, true>);
  table.Add("BTRIM", {kText, kText}, 1, text, TrimKernel<true, true>);
  table.Add("LTRIM", {kText, kText}, 1, text, TrimKernel<true, false>);
  table.Add("RTRIM", {kText, kText}, 1, text, TrimKernel<false, true>);
  for (const char* name : {"CHAR_LENGTH", "CHARACTER_LENGTH"}) {
    table.Add(name, {kText}, 0, DataType::Int(), LengthKernel);
  }
  table.Add("POSITION", {kText, kText}, 0, DataType::Int(), PositionKernel);
  table.Add("REPLACE", {kText, kText, kText}, 0, text, ReplaceKernel);
  table.Add("REVERSE", {kText}, 0, text, ReverseKernel);
  table.Add("SPLIT_INDEX", {kText, kText, kNumber}, 0, text, SplitIndexKernel);
  table.Add("SPLIT_INDEX", {kText, kNumber, kNumber}, 0, text, SplitIndexByNumberKernel);
  table.Add("OVERLAY", {kText, kText, kNumber, kNumber}, 1, text, OverlayKernel);
  table.Add("TRANSLATE", {kText, kText, kText}, 0, text, TranslateKernel);
  ScalarFunction elt{.name = "ELT", .usage = "ELT(INT, STRING, …)", .bind = BindElt};
  elt.kernel = EltKernel;
  elt.evaluation = ScalarFunction::Evaluation::kLoose;
  table.Add(std::move(elt));
}

}  // namespace slipstream::sql
