#include <algorithm>

#include "processor/expr/function_table.h"
#include "processor/expr/type_rules.h"
#include "processor/types/number_text.h"
#include "processor/types/utf8.h"

// INSTR, LOCATE, STARTSWITH, ENDSWITH, SPLIT, INITCAP, ASCII, CHR, HEX, IS_ALPHA, IS_DIGIT,
// IS_DECIMAL. Positions are in characters from 1; 0 is nowhere.

namespace slipstream::sql {
namespace {

using Param = FunctionTable::Param;

// The character's number at which `part` begins in `text`, looking from character `from` on.
int64_t Find(std::string_view text, std::string_view part, int64_t from) {
  if (from < 1) return 0;
  const size_t skipped = BytesOfCharacters(text, static_cast<size_t>(from - 1));
  const size_t found = text.find(part, skipped);
  if (found == std::string_view::npos) return 0;
  return static_cast<int64_t>(CountCharacters(text.substr(0, found))) + 1;
}

// The same for the last place that does not lie behind character `from`.
int64_t FindLast(std::string_view text, std::string_view part, int64_t from) {
  if (from < 1) return 0;
  const size_t found = text.rfind(part, BytesOfCharacters(text, static_cast<size_t>(from - 1)));
  if (found == std::string_view::npos) return 0;
  return static_cast<int64_t>(CountCharacters(text.substr(0, found))) + 1;
}

void InstrKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (!out.is_null(row)) {
      out.ints[row] = Find(call.args[0].string_at(row), call.args[1].string_at(row), 1);
    }
  }
}

// INSTR(text, part, start, occurrence from 1): a start below zero counts from the end, and the
// search goes backwards from there.
void InstrFromKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const std::string_view text = call.args[0].string_at(row);
    const std::string_view part = call.args[1].string_at(row);
    const int64_t from = call.args[2].int_at(row);
    int64_t occurrence = call.args.size() > 3 ? call.args[3].int_at(row) : 1;
    if (occurrence < 1) {
      out.SetNull(row);
      call.errors.Add(row, "INSTR counts occurrences from 1");
      continue;
    }
    const bool is_backward = from < 0;
    int64_t found = is_backward ? static_cast<int64_t>(CountCharacters(text)) + from + 1
                                : std::max(from, int64_t{0});
    for (; occurrence > 0 && found > 0; --occurrence) {
      found = is_backward ? FindLast(text, part, found) : Find(text, part, found);
      if (found > 0 && occurrence > 1) found += is_backward ? -1 : 1;
    }
    out.ints[row] = std::max(found, int64_t{0});
  }
}

void LocateKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const int64_t from = call.args.size() > 2 ? call.args[2].int_at(row) : 1;
    out.ints[row] = Find(call.args[1].string_at(row), call.args[0].string_at(row), from);
  }
}

template <bool kAtStart>
void EdgeKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const std::string_view text = call.args[0].string_at(row);
    const std::string_view part = call.args[1].string_at(row);
    out.bools[row] = (kAtStart ? text.starts_with(part) : text.ends_with(part)) ? 1 : 0;
  }
}

// The first letter of each word upper case, the others lower; letters and digits make words. ASCII
// letters only.
void InitcapKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    std::string text(call.args[0].string_at(row));
    bool is_start = true;
    for (char& c : text) {
      const bool is_lower = c >= 'a' && c <= 'z';
      const bool is_upper = c >= 'A' && c <= 'Z';
      if (is_start && is_lower) c = static_cast<char>(c - 'a' + 'A');
      if (!is_start && is_upper) c = static_cast<char>(c - 'A' + 'a');
      is_start = !is_lower && !is_upper && !(c >= '0' && c <= '9') &&
                 (static_cast<uint8_t>(c) & 0x80) == 0;
    }
    out.strings[row] = call.arena.Copy(text);
  }
}

void AsciiKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const std::string_view text = call.args[0].string_at(row);
    out.ints[row] = text.empty() ? 0 : static_cast<uint8_t>(text.front());
  }
}

// Numbers beyond 255 count modulo 256, those below zero are no character at all, as in Flink.
void ChrKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    std::string text;
    const int64_t number = call.args[0].int_at(row);
    if (number >= 0) AppendUtf8(text, static_cast<uint32_t>(number & 0xFF));
    out.strings[row] = call.arena.Copy(text);
  }
}

std::string HexText(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string text;
  for (const char byte : bytes) {
    text.push_back(kHex[static_cast<uint8_t>(byte) >> 4]);
    text.push_back(kHex[static_cast<uint8_t>(byte) & 15]);
  }
  return text;
}

void HexTextKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (!out.is_null(row)) {
      out.strings[row] = call.arena.Copy(HexText(call.args[0].string_at(row)));
    }
  }
}

void HexNumberKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    auto number = static_cast<uint64_t>(call.args[0].int_at(row));
    std::string text;
    do {
      text.push_back("0123456789ABCDEF"[number & 15]);
      number >>= 4;
    } while (number > 0);
    std::reverse(text.begin(), text.end());
    out.strings[row] = call.arena.Copy(text);
  }
}

// The parts between separators; of an empty separator the characters.
void SplitKernel(const KernelCall& call, Column& out) {
  Column& parts = out.children[0];
  out.offsets.assign(1, 0);
  for (size_t row = 0; row < call.rows; ++row) {
    if (!out.is_null(row)) {
      std::string_view text = call.args[0].string_at(row);
      const std::string_view separator = call.args[1].string_at(row);
      while (separator.empty() && !text.empty()) {
        const size_t bytes = CharacterBytes(text);
        parts.strings.push_back(text.substr(0, bytes));
        text.remove_prefix(bytes);
      }
      size_t end = separator.empty() ? std::string_view::npos : text.find(separator);
      for (; end != std::string_view::npos; end = text.find(separator)) {
        parts.strings.push_back(text.substr(0, end));
        text.remove_prefix(end + separator.size());
      }
      if (!separator.empty()) parts.strings.push_back(text);
    }
    out.offsets.push_back(static_cast<uint32_t>(parts.strings.size()));
  }
}

// Whether a text that is neither NULL nor empty is of a kind; never NULL.
template <bool (*kIs)(std::string_view)>
void KindKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    const std::string_view text =
        call.args[0].is_null(row) ? std::string_view() : call.args[0].string_at(row);
    out.bools[row] = !text.empty() && kIs(text) ? 1 : 0;
  }
}

// Characters beyond ASCII count as letters.
bool IsAlpha(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<uint8_t>(c) >= 0x80;
  });
}
bool IsDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}
bool IsNumber(std::string_view text) {
  return ParseDouble(text).has_value();
}

void AddKind(FunctionTable& table, const char* name, Kernel kernel) {
  ScalarFunction function{.name = name, .usage = std::string(name) + "(STRING)"};
  function.bind =
      [](std::span<const ExpressionPtr> args) -> std::optional<ScalarFunction::Signature> {
    if (args.size() != 1 || !FitParam(Param::kString, args[0]->type)) return std::nullopt;
    return ScalarFunction::Signature{.args = {DataType::String()},
                                     .result = AsNullable(DataType::Boolean(), false)};
  };
  function.kernel = kernel;
  function.evaluation = ScalarFunction::Evaluation::kLoose;
  table.Add(std::move(function));
}

}  // namespace

void AddSearchFunctions(FunctionTable& table) {
  const DataType text = DataType::String();
  const DataType boolean = DataType::Boolean();
  constexpr Param kText = Param::kString;
  table.Add("INSTR", {kText, kText}, 0, DataType::Int(), InstrKernel);
  table.Add("INSTR",
            {kText, kText, Param::kInteger, Param::kInteger},
            1,
            DataType::Int(),
            InstrFromKernel);
  table.Add("LOCATE", {kText, kText, Param::kInteger}, 1, DataType::Int(), LocateKernel);
  table.Add("STARTSWITH", {kText, kText}, 0, boolean, EdgeKernel<true>);
  table.Add("ENDSWITH", {kText, kText}, 0, boolean, EdgeKernel<false>);
  table.Add("INITCAP", {kText}, 0, text, InitcapKernel);
  table.Add("ASCII", {kText}, 0, DataType::Int(), AsciiKernel);
  table.Add("CHR", {Param::kInteger}, 0, text, ChrKernel);
  table.Add("HEX", {Param::kInteger}, 0, text, HexNumberKernel);
  table.Add("HEX", {kText}, 0, text, HexTextKernel);
  AddKind(table, "IS_ALPHA", KindKernel<IsAlpha>);
  AddKind(table, "IS_DIGIT", KindKernel<IsDigits>);
  AddKind(table, "IS_DECIMAL", KindKernel<IsNumber>);
  DataType parts{.kind = TypeKind::kArray};
  parts.children = std::make_shared<const std::vector<Field>>(
      std::vector<Field>{{"element", AsNullable(text, false)}});
  table.Add("SPLIT", {kText, kText}, 0, parts, SplitKernel);
}

}  // namespace slipstream::sql
