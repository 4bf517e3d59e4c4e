#include <array>
#include <cstring>

#include <openssl/rand.h>

#include "processor/expr/function_table.h"
#include "processor/expr/type_rules.h"

// RAND, RAND_INTEGER and UUID: another value for every row, out of OpenSSL's generator. There are
// none with a seed: a sequence would have to be kept over restarts, and goes by the order of rows.

namespace slipstream::sql {
namespace {

// False: OpenSSL has no random numbers to give, and the row has failed.
bool FillRandom(const KernelCall& call, size_t row, Column& out, uint8_t* to, size_t size) {
  if (RAND_bytes(to, static_cast<int>(size)) == 1) return true;
  out.SetNull(row);
  call.errors.Add(row, "this machine's OpenSSL gives no random numbers");
  return false;
}

void RandKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    uint64_t bits = 0;
    if (!FillRandom(call, row, out, reinterpret_cast<uint8_t*>(&bits), sizeof(bits))) continue;
    out.doubles[row] = static_cast<double>(bits >> 11) * 0x1p-53;
  }
}

void RandIntegerKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const int64_t bound = call.args[0].int_at(row);
    uint64_t bits = 0;
    if (bound <= 0 || bound > INT32_MAX) {
      out.SetNull(row);
      call.errors.Add(row, "the bound of RAND_INTEGER is a positive INT");
    } else if (FillRandom(call, row, out, reinterpret_cast<uint8_t*>(&bits), sizeof(bits))) {
      out.ints[row] = static_cast<int64_t>(bits % static_cast<uint64_t>(bound));
    }
  }
}

// RFC 4122, version 4.
void UuidKernel(const KernelCall& call, Column& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<uint8_t, 16> bytes{};
  for (size_t row = 0; row < call.rows; ++row) {
    if (!FillRandom(call, row, out, bytes.data(), bytes.size())) continue;
    bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0F) | 0x40);
    bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3F) | 0x80);
    std::string text;
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
      text.push_back(kHex[bytes[i] >> 4]);
      text.push_back(kHex[bytes[i] & 15]);
    }
    out.strings[row] = call.arena.Copy(text);
  }
}

void AddRandom(FunctionTable& table,
               const char* name,
               std::vector<DataType> params,
               const DataType& result,
               Kernel kernel) {
  ScalarFunction function{
      .name = name,
      .usage = std::string(name) + (params.empty() ? "()" : "(INT)") + ", without a seed"};
  function.bind =
      [params = std::move(params),
       result](std::span<const ExpressionPtr> args) -> std::optional<ScalarFunction::Signature> {
    if (args.size() != params.size()) return std::nullopt;
    ScalarFunction::Signature signature{.args = params, .result = AsNullable(result, false)};
    for (const ExpressionPtr& arg : args) {
      if (!FitParam(FunctionTable::Param::kInteger, arg->type)) return std::nullopt;
      signature.result.nullable |= arg->type.nullable;
    }
    return signature;
  };
  function.kernel = kernel;
  function.is_volatile = true;
  table.Add(std::move(function));
}

}  // namespace

void AddRandomFunctions(FunctionTable& table) {
  AddRandom(table, "RAND", {}, DataType::Double(), RandKernel);
  AddRandom(table, "RAND_INTEGER", {DataType::BigInt()}, DataType::Int(), RandIntegerKernel);
  AddRandom(table, "UUID", {}, DataType{.kind = TypeKind::kChar, .precision = 36}, UuidKernel);
}

}  // namespace slipstream::sql
