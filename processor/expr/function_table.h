#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "processor/expr/scalar_function.h"

namespace slipstream::sql {

// FunctionTable: every scalar function by its name; overloads in the order they are tried. Built
// once, on first use, then read only.
class FunctionTable {
 public:
  // What a parameter takes; the argument is cast to it.
  enum class Param : uint8_t {
    kAny,
    kBoolean,
    kInteger,    // any integer, as BIGINT
    kDouble,     // any number, as DOUBLE
    kString,     // CHAR or VARCHAR
    kDate,       // DATE
    kTimestamp,  // TIMESTAMP or TIMESTAMP_LTZ as it is, DATE as TIMESTAMP(3)
  };

  static const FunctionTable& Get();

  // nullptr: there is none. `name` in upper case.
  const std::vector<ScalarFunction>* Find(std::string_view name) const;
  std::vector<std::string> Names() const;

  void Add(ScalarFunction function);
  // A strict function with fixed parameters; the last `optional` of them may be missing.
  void Add(std::string name,
           std::vector<Param> params,
           size_t optional,
           const DataType& result,
           Kernel kernel);

 private:
  std::map<std::string, std::vector<ScalarFunction>, std::less<>> functions_;
};

// The type an argument takes for a parameter; nullopt: it does not fit.
std::optional<DataType> FitParam(FunctionTable::Param param, const DataType& type);

// Whether one of the arguments may be NULL.
bool AnyIsNullable(std::span<const ExpressionPtr> args);

// Each file of functions adds its own.
void AddComparisonFunctions(FunctionTable& table);
void AddLogicFunctions(FunctionTable& table);
void AddArithmeticFunctions(FunctionTable& table);
void AddMathFunctions(FunctionTable& table);
void AddTextFunctions(FunctionTable& table);
void AddPatternFunctions(FunctionTable& table);
void AddTimeFunctions(FunctionTable& table);
void AddNestedFunctions(FunctionTable& table);
void AddSearchFunctions(FunctionTable& table);
void AddRegexpFunctions(FunctionTable& table);
void AddDigestFunctions(FunctionTable& table);
void AddJsonFunctions(FunctionTable& table);
void AddJsonConstruction(FunctionTable& table);
void AddArrayFunctions(FunctionTable& table);
void AddMapFunctions(FunctionTable& table);
void AddEncodingFunctions(FunctionTable& table);
void AddRandomFunctions(FunctionTable& table);
void AddZoneFunctions(FunctionTable& table);
void AddClockFunctions(FunctionTable& table);

}  // namespace slipstream::sql
