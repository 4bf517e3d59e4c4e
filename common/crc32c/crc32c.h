#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace slipstream {

// CRC32C (Castagnoli polynomial, as iSCSI, RFC 3720 appendix B.4, and HDFS use it). Hardware
// instructions where the CPU has them.

// The CRC of `data` alone.
uint32_t Crc32c(std::string_view data);

// The CRC of what `crc` was computed over followed by `data`. Crc32c(x) == ExtendCrc32c(0, x).
uint32_t ExtendCrc32c(uint32_t crc, std::string_view data);

// The CRC of A followed by B, from crc(A), crc(B) and B's length in bytes, without either's bytes.
// Source: zlib's crc32_combine (Mark Adler), with this polynomial.
uint32_t CombineCrc32c(uint32_t crc_a, uint32_t crc_b, uint64_t length_b);

}  // namespace slipstream
