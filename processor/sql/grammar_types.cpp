#include <array>

#include <fmt/format.h>

#include "processor/sql/grammar.h"
#include "processor/sql/nearest_name.h"

namespace slipstream::sql {
namespace {

constexpr int32_t kSecondDigitsMax = 6;  // what a microsecond can hold

struct SimpleType {
  std::string_view name;
  TypeKind kind;
  int32_t precision = 0;
};

constexpr std::array kSimpleTypes = std::to_array<SimpleType>({
    {"BOOLEAN", TypeKind::kBoolean},
    {"TINYINT", TypeKind::kTinyInt},
    {"SMALLINT", TypeKind::kSmallInt},
    {"INT", TypeKind::kInt},
    {"INTEGER", TypeKind::kInt},
    {"BIGINT", TypeKind::kBigInt},
    {"FLOAT", TypeKind::kFloat},
    {"DOUBLE", TypeKind::kDouble},
    {"STRING", TypeKind::kVarchar, INT32_MAX},
    {"BYTES", TypeKind::kVarbinary, INT32_MAX},
    {"DATE", TypeKind::kDate},
});

const std::vector<std::string>& TypeNames() {
  static const std::vector<std::string> names = {
      "BOOLEAN", "TINYINT",   "SMALLINT",      "INT",       "INTEGER", "BIGINT",
      "FLOAT",   "DOUBLE",    "DECIMAL",       "NUMERIC",   "DEC",     "CHAR",
      "VARCHAR", "STRING",    "BINARY",        "VARBINARY", "BYTES",   "DATE",
      "TIME",    "TIMESTAMP", "TIMESTAMP_LTZ", "ARRAY",     "MAP",     "ROW"};
  return names;
}

DataType Nested(TypeKind kind, std::vector<Field> children) {
  return {.kind = kind,
          .children = std::make_shared<const std::vector<Field>>(std::move(children))};
}

}  // namespace

DataType Grammar::ParseType() {
  const Nesting nesting(*this);
  DataType type = ParseTypeName();
  if (AcceptWord("ARRAY")) type = Nested(TypeKind::kArray, {{"element", std::move(type)}});
  if (AcceptWords({"NOT", "NULL"})) {
    type.nullable = false;
  } else {
    AcceptWord("NULL");
  }
  return type;
}

int32_t Grammar::ParseTypeParameter(int32_t fallback, int32_t min, int32_t max) {
  if (!Accept("(")) return fallback;
  const Span at = Peek().span;
  const uint64_t value = ExpectCount("a length or precision");
  const bool fits = value >= static_cast<uint64_t>(min) && value <= static_cast<uint64_t>(max);
  if (!fits) Fail(at, fmt::format("must be between {} and {}", min, max));
  Expect(")");
  return static_cast<int32_t>(value);
}

DataType Grammar::ParseTypeName() {
  const Token& token = Peek();
  for (const SimpleType& simple : kSimpleTypes) {
    if (!token.IsWord(simple.name)) continue;
    Take();
    if (simple.kind == TypeKind::kDouble) AcceptWord("PRECISION");
    return {.kind = simple.kind, .precision = simple.precision};
  }
  if (AcceptWord("DECIMAL") || AcceptWord("NUMERIC") || AcceptWord("DEC")) {
    DataType type = DataType::Decimal(10, 0);
    if (!Accept("(")) return type;
    const Span at = Peek().span;
    const uint64_t precision = ExpectCount("a precision");
    const uint64_t scale = Accept(",") ? ExpectCount("a scale") : 0;
    if (precision < 1 || precision > 38 || scale > precision) {
      Fail(at, "the precision of a DECIMAL is 1 to 38, its scale at most that");
    }
    Expect(")");
    return DataType::Decimal(static_cast<int32_t>(precision), static_cast<int32_t>(scale));
  }
  const auto sized = [&](TypeKind kind) {
    return DataType{.kind = kind, .precision = ParseTypeParameter(1, 1, INT32_MAX)};
  };
  if (AcceptWord("CHAR")) return sized(TypeKind::kChar);
  if (AcceptWord("VARCHAR")) return sized(TypeKind::kVarchar);
  if (AcceptWord("BINARY")) return sized(TypeKind::kBinary);
  if (AcceptWord("VARBINARY")) return sized(TypeKind::kVarbinary);
  if (AcceptWord("TIME")) {
    const int32_t precision = ParseTypeParameter(0, 0, kSecondDigitsMax);
    AcceptWords({"WITHOUT", "TIME", "ZONE"});
    return {.kind = TypeKind::kTime, .precision = precision};
  }
  if (token.IsWord("TIMESTAMP") || token.IsWord("TIMESTAMP_LTZ")) return ParseTimestampType();
  if (token.IsWord("ARRAY") || token.IsWord("MAP") || token.IsWord("ROW")) return ParseRowType();
  for (const char* const type : {"INTERVAL", "MULTISET", "RAW", "STRUCTURED", "VARIANT"}) {
    if (token.IsWord(type)) Unsupported(token.span, fmt::format("the type {} is", type));
  }
  if (token.kind == Token::Kind::kWord) {
    Fail(token.span, fmt::format("no type {}", token.text), DidYouMean(token.text, TypeNames()));
  }
  Unexpected("a type");
}

DataType Grammar::ParseTimestampType() {
  const bool is_ltz = Take().IsWord("TIMESTAMP_LTZ");
  const Span at = PreviousSpan();
  const int32_t precision = ParseTypeParameter(kSecondDigitsMax, 0, kSecondDigitsMax);
  if (is_ltz || AcceptWords({"WITH", "LOCAL", "TIME", "ZONE"})) {
    return DataType::TimestampLtz(precision);
  }
  if (NextAreWords({"WITH", "TIME", "ZONE"})) {
    Unsupported(at, "TIMESTAMP WITH TIME ZONE is", "TIMESTAMP_LTZ is an instant");
  }
  AcceptWords({"WITHOUT", "TIME", "ZONE"});
  return DataType::Timestamp(precision);
}

DataType Grammar::ParseRowType() {
  if (AcceptWord("ARRAY")) {
    Expect("<");
    DataType element = ParseType();
    Expect(">");
    return Nested(TypeKind::kArray, {{"element", std::move(element)}});
  }
  if (AcceptWord("MAP")) {
    Expect("<");
    DataType key = ParseType();
    Expect(",");
    DataType value = ParseType();
    Expect(">");
    return Nested(TypeKind::kMap, {{"key", std::move(key)}, {"value", std::move(value)}});
  }
  ExpectWord("ROW");
  const bool is_parenthesized = NextIs("(");
  Expect(is_parenthesized ? "(" : "<");
  std::vector<Field> fields;
  do {
    const ast::Name name = ExpectName("a field's name");
    for (const Field& field : fields) {
      if (field.name == name.text) Fail(name.at, fmt::format("two fields {}", name.text));
    }
    fields.push_back({name.text, ParseType()});
    if (Peek().kind == Token::Kind::kString) Take();  // a comment
  } while (Accept(","));
  Expect(is_parenthesized ? ")" : ">");
  return Nested(TypeKind::kRow, std::move(fields));
}

}  // namespace slipstream::sql
