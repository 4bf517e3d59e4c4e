#include <openssl/evp.h>

#include "processor/expr/function_table.h"

// MD5, SHA1, SHA224, SHA256, SHA384, SHA512, SHA2: of a text's bytes, in lower-case hexadecimal
// digits.

namespace slipstream::sql {
namespace {

void DigestInto(const KernelCall& call, const EVP_MD* kind, size_t row, Column& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  unsigned char digest[EVP_MAX_MD_SIZE];
  const std::string_view text = call.args[0].string_at(row);
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &size, kind, nullptr) != 1) {
    out.SetNull(row);
    call.errors.Add(row, "this machine's OpenSSL refuses the digest");
    return;
  }
  char* const digits = call.arena.Allocate(size_t{size} * 2);
  for (size_t i = 0; i < size; ++i) {
    digits[i * 2] = kHex[digest[i] >> 4];
    digits[i * 2 + 1] = kHex[digest[i] & 15];
  }
  out.strings[row] = {digits, size_t{size} * 2};
}

template <const EVP_MD* (*kDigest)()>
void DigestKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (!out.is_null(row)) DigestInto(call, kDigest(), row, out);
  }
}

// The second argument is the digest's length in bits.
void Sha2Kernel(const KernelCall& call, Column& out) {
  const auto kind_of = [](int64_t bits) -> const EVP_MD* {
    switch (bits) {
      case 224:
        return EVP_sha224();
      case 256:
        return EVP_sha256();
      case 384:
        return EVP_sha384();
      case 512:
        return EVP_sha512();
      default:
        return nullptr;
    }
  };
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    if (const EVP_MD* const kind = kind_of(call.args[1].int_at(row))) {
      DigestInto(call, kind, row, out);
      continue;
    }
    out.SetNull(row);
    call.errors.Add(row, "the length of SHA2 is 224, 256, 384 or 512");
  }
}

}  // namespace

void AddDigestFunctions(FunctionTable& table) {
  const auto add = [&table](const char* name, Kernel kernel) {
    table.Add(name, {FunctionTable::Param::kString}, 0, DataType::String(), kernel);
  };
  add("MD5", DigestKernel<EVP_md5>);
  add("SHA1", DigestKernel<EVP_sha1>);
  add("SHA224", DigestKernel<EVP_sha224>);
  add("SHA256", DigestKernel<EVP_sha256>);
  add("SHA384", DigestKernel<EVP_sha384>);
  add("SHA512", DigestKernel<EVP_sha512>);
  table.Add("SHA2",
            {FunctionTable::Param::kString, FunctionTable::Param::kInteger},
            0,
            DataType::String(),
            Sha2Kernel);
}

}  // namespace slipstream::sql
