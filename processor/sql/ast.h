#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "processor/sql/diagnostic.h"
#include "processor/types/data_type.h"

// What the parser makes of SQL: plain structs, nothing resolved. Every node knows the stretch of
// the text it came from.
namespace slipstream::sql::ast {

struct Name {
  std::string text;  // unquoted; case as written
  Span at;
};
using QualifiedName = std::vector<Name>;  // a.b.c; never empty

// "a.b".
std::string ToString(const QualifiedName& name);

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;
struct Query;
using QueryPtr = std::shared_ptr<const Query>;  // shared: a view's, by the script and the catalog

struct ColumnRef {
  QualifiedName parts;
};

struct Star {
  QualifiedName qualifier;  // empty: all columns
};

struct Literal {
  enum class Kind { kNull, kBoolean, kNumber, kString, kBinary, kDate, kTime, kTimestamp };
  Kind kind = Kind::kNull;
  std::string text;  // "TRUE", "12.5", the string's content, the bytes
};

// INTERVAL [-] 'text' from [(precision)] [TO to]. Units are upper case and singular.
struct Interval {
  bool is_negative = false;
  std::string text;
  std::string from;
  std::string to;  // empty: the same as from
};

// A bare unit as an argument: TIMESTAMPADD(MINUTE, …), FLOOR(ts TO HOUR), EXTRACT(DAY FROM ts).
struct TimeUnit {
  std::string unit;  // upper case, singular
};

// op is as MakeCall of the function registry has it: "NOT", "NEGATE", "IS NULL", "IS NOT TRUE".
struct Unary {
  std::string op;
  ExprPtr operand;
};

// op: "+", "=", "AND", "IS DISTINCT FROM", ….
struct Binary {
  std::string op;
  ExprPtr left;
  ExprPtr right;
};

struct Between {
  ExprPtr value;
  ExprPtr low;
  ExprPtr high;
  bool is_negated = false;
  bool is_symmetric = false;
};

struct InList {
  ExprPtr value;
  std::vector<ExprPtr> items;
  bool is_negated = false;
};

// value IN (query), or value op ANY (query); value op ALL (query) is NOT of the opposite ANY.
struct InQuery {
  ExprPtr value;
  QueryPtr query;
  bool is_negated = false;
  std::string op = "=";
};

struct Exists {
  QueryPtr query;
};

struct ScalarQuery {
  QueryPtr query;
};

struct OrderItem {
  ExprPtr value;
  bool is_descending = false;
  std::optional<bool> nulls_first;  // as written
};

struct FrameBound {
  enum class Kind { kUnboundedPreceding, kPreceding, kCurrentRow, kFollowing, kUnboundedFollowing };
  Kind kind = Kind::kCurrentRow;
  ExprPtr distance;  // of kPreceding and kFollowing
};

struct WindowDefinition {
  enum class Frame { kDefault, kRows, kRange };
  std::optional<Name> name;  // OVER w, or WINDOW w AS (…)
  std::vector<ExprPtr> partition_by;
  std::vector<OrderItem> order_by;
  Frame frame = Frame::kDefault;
  FrameBound frame_start;
  FrameBound frame_end;
};

struct Argument {
  std::optional<Name> name;  // NAME => value
  ExprPtr value;
};

struct Call {
  Name function;  // case as written
  std::vector<Argument> arguments;
  bool is_star = false;      // COUNT(*)
  bool is_distinct = false;  // COUNT(DISTINCT x)
  ExprPtr filter;            // FILTER (WHERE …), or null
  std::unique_ptr<WindowDefinition> over;
};

struct Case {
  ExprPtr operand;  // null: CASE WHEN condition …
  struct Branch {
    std::vector<ExprPtr> whens;  // with an operand, values: any of them will do; else one condition
    ExprPtr then;
  };
  std::vector<Branch> branches;
  ExprPtr otherwise;  // null: NULL
};

struct Cast {
  ExprPtr value;
  DataType type;
  bool is_try = false;
};

struct Constructor {
  enum class Kind { kRow, kArray, kMap };
  Kind kind = Kind::kRow;
  std::vector<ExprPtr> items;  // kMap: key, value, key, value, …
};

struct Subscript {
  ExprPtr base;
  ExprPtr index;
};

struct FieldAccess {
  ExprPtr base;
  Name field;
};

// Arguments of table functions: TABLE t [PARTITION BY k, …], or a query in parentheses.
struct TableArgument {
  QualifiedName table;  // empty: query
  QueryPtr query;
  std::vector<ExprPtr> partition_by;
};

struct Descriptor {
  std::vector<Name> columns;
};

struct Expr {
  using Node = std::variant<ColumnRef,
                            Star,
                            Literal,
                            Interval,
                            TimeUnit,
                            Unary,
                            Binary,
                            Between,
                            InList,
                            InQuery,
                            Exists,
                            ScalarQuery,
                            Call,
                            Case,
                            Cast,
                            Constructor,
                            Subscript,
                            FieldAccess,
                            TableArgument,
                            Descriptor>;
  Span at;
  uint32_t height = 1;  // of the tree below; bounded by the parser, so that recursion is
  Node node;
};

// ---- Queries ----

struct TableRef;
using TableRefPtr = std::unique_ptr<TableRef>;

// 'key' = 'value', of WITH or of a hint.
struct Option {
  Name key;
  std::string value;
};

struct NamedTable {
  QualifiedName name;
  std::vector<Option> options;  // /*+ OPTIONS('k' = 'v', …) */
  ExprPtr as_of;                // FOR SYSTEM_TIME AS OF …; or null
};

struct DerivedTable {
  QueryPtr query;
  bool is_lateral = false;  // it may name columns of the tables before it
};

// TABLE(f(…)), or f(…) alone; LATERAL too.
struct TableFunction {
  Call call;
  bool is_lateral = false;
};

// UNNEST(expression) [WITH ORDINALITY], which reads the tables before it.
struct Unnest {
  ExprPtr value;
  bool has_ordinality = false;
};

struct Join {
  enum class Kind { kInner, kLeft, kRight, kFull, kCross };
  Kind kind = Kind::kInner;
  bool is_natural = false;
  TableRefPtr left;
  TableRefPtr right;
  ExprPtr condition;  // ON
  std::vector<Name> using_columns;
};

struct TableRef {
  std::variant<NamedTable, DerivedTable, TableFunction, Unnest, Join> node;
  std::optional<Name> alias;
  std::vector<Name> columns;  // alias (c, …)
  Span at;
};

struct SelectItem {
  ExprPtr value;
  std::optional<Name> alias;
};

struct Select {
  Span at;
  std::vector<Option> state_ttls;  // /*+ STATE_TTL('t' = '1 d') */: by table or alias
  bool is_distinct = false;
  std::vector<SelectItem> items;
  TableRefPtr from;  // null: one row without columns
  ExprPtr where;
  bool has_group_by = false;
  std::vector<ExprPtr> group_by;
  // GROUPING SETS, ROLLUP, CUBE: which of group_by each set has; nullopt: one set of all.
  std::optional<std::vector<std::vector<size_t>>> grouping_sets;
  ExprPtr having;
  std::vector<WindowDefinition> windows;
  ExprPtr qualify;
};

struct Values {
  Span at;
  std::vector<std::vector<ExprPtr>> rows;  // all of the same width
};

struct QueryTerm {
  enum class Operator {
    kFirst,
    kUnionAll,
    kUnion,
    kIntersect,
    kIntersectAll,
    kExcept,
    kExceptAll,
  };
  Operator op = Operator::kFirst;  // how it is joined to the terms before it
  Span op_at;
  std::variant<Select, Values, QueryPtr> body;
};

struct CommonTable {
  Name name;
  std::vector<Name> columns;
  QueryPtr query;
};

struct Query {
  Span at;
  std::vector<CommonTable> common_tables;  // WITH
  std::vector<QueryTerm> terms;
  std::vector<OrderItem> order_by;
  std::optional<uint64_t> limit;
  uint64_t offset = 0;
  Span limit_at;
};

// ---- Statements ----

struct ColumnDefinition {
  Name name;
  DataType type;                        // not of a computed column
  ExprPtr computed;                     // AS expr
  std::optional<std::string> metadata;  // METADATA [FROM 'key']; the column's name by default
  bool is_virtual = false;
};

struct WatermarkDefinition {
  Name column;
  ExprPtr value;
};

// LIKE t (INCLUDING … | EXCLUDING … | OVERWRITING …): what is taken of the other table.
struct TableLike {
  enum class Take { kIncluding, kExcluding, kOverwriting };

  QualifiedName table;
  Take constraints = Take::kIncluding;
  Take generated = Take::kIncluding;
  Take metadata = Take::kIncluding;
  Take options = Take::kOverwriting;
  Take partitions = Take::kIncluding;
  Take watermarks = Take::kIncluding;
};

struct CreateTable {
  QualifiedName name;
  bool is_temporary = false;
  bool if_not_exists = false;
  std::vector<ColumnDefinition> columns;
  std::optional<WatermarkDefinition> watermark;
  std::vector<Name> primary_key;
  std::vector<Name> partitioned_by;
  std::vector<Option> options;
  std::optional<TableLike> like;
  QueryPtr query;  // AS …: its columns are the table's first, and its rows go into it
};

struct CreateView {
  QualifiedName name;
  bool is_temporary = false;
  bool if_not_exists = false;
  std::vector<Name> columns;
  QueryPtr query;
};

struct Drop {
  QualifiedName name;
  bool is_view = false;
  bool is_temporary = false;
  bool if_exists = false;
};

struct Set {
  Name key;
  std::string value;
};

struct Reset {
  std::optional<Name> key;  // nullopt: all settings
};

// SET on its own.
struct ShowSettings {};

struct Insert {
  QualifiedName table;
  std::vector<Option> options;
  std::vector<Name> columns;  // empty: all insertable ones
  QueryPtr query;
};

struct StatementSet {
  std::vector<Insert> inserts;
};

struct ShowTables {
  bool views_only = false;
};

struct ShowFunctions {};

struct ShowCreate {
  QualifiedName name;
  bool is_view = false;
};

struct Describe {
  QualifiedName name;
};

// SHOW of the only catalog or database there is.
struct ShowDefault {
  const char* name = "";
};

// USE of the only catalog and database there are.
struct Use {};

struct Explain {
  std::variant<QueryPtr, Insert, StatementSet> statement;
};

struct Statement {
  Span at;
  std::variant<CreateTable,
               CreateView,
               Drop,
               Set,
               Reset,
               ShowSettings,
               Insert,
               StatementSet,
               ShowTables,
               ShowFunctions,
               ShowCreate,
               Describe,
               ShowDefault,
               Use,
               Explain,
               QueryPtr>
      node;
};

struct Script {
  std::shared_ptr<const SourceText> source;  // shared with the views made from it
  std::vector<Statement> statements;
};

}  // namespace slipstream::sql::ast
