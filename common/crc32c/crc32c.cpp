#include "common/crc32c/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace slipstream {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected

constexpr std::array<std::array<uint32_t, 256>, 8> MakeTables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][i] = crc;
  }
  for (uint32_t i = 0; i < 256; ++i) {
    for (size_t slice = 1; slice < 8; ++slice) {
      uint32_t previous = tables[slice - 1][i];
      tables[slice][i] = (previous >> 8) ^ tables[0][previous & 0xff];
    }
  }
  return tables;
}

constexpr auto kTables = MakeTables();

uint64_t LoadLittleEndian64(const unsigned char* p) {
  uint64_t value = 0;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

uint32_t ExtendPortable(uint32_t state, const unsigned char* p, size_t length) {
  for (; length >= 8; p += 8, length -= 8) {
    uint64_t word = LoadLittleEndian64(p) ^ state;
    state = 0;
    for (size_t i = 0; i < 8; ++i)
      state ^= kTables[7 - i][(word >> (8 * i)) & 0xff];
  }
  for (; length > 0; ++p, --length)
    state = (state >> 8) ^ kTables[0][(state ^ *p) & 0xff];
  return state;
}

// (a * b) mod the polynomial, both reflected.
constexpr uint32_t MultiplyModulo(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t mask = 1U << 31; mask != 0; mask >>= 1) {
    if ((a & mask) != 0) product ^= b;
    b = (b & 1) != 0 ? (b >> 1) ^ kPolynomial : b >> 1;
  }
  return product;
}

// powers[k] = x^(2^k) mod the polynomial.
constexpr std::array<uint32_t, 64> MakePowers() {
  std::array<uint32_t, 64> powers{};
  uint32_t power = 1U << 30;  // x^1
  for (uint32_t& entry : powers) {
    entry = power;
    power = MultiplyModulo(power, power);
  }
  return powers;
}

constexpr auto kPowers = MakePowers();

// x^(8 * bytes) mod the polynomial.
constexpr uint32_t ShiftOperator(uint64_t bytes) {
  uint32_t shift = 1U << 31;  // x^0
  for (size_t k = 3; bytes != 0; bytes >>= 1, k = (k + 1) % 64) {
    if ((bytes & 1) != 0) shift = MultiplyModulo(kPowers[k], shift);
  }
  return shift;
}

#if defined(__x86_64__)
// The crc32 instruction has a latency of 3 and a throughput of 1, so three lanes run side by side
// and are joined by shifting with precomputed tables.
constexpr size_t kLaneBytes = 2048;

constexpr std::array<std::array<uint32_t, 256>, 4> MakeShiftTables(size_t bytes) {
  uint32_t shift = ShiftOperator(bytes);
  std::array<std::array<uint32_t, 256>, 4> tables{};
  for (uint32_t byte = 0; byte < 4; ++byte) {
    for (uint32_t i = 0; i < 256; ++i) {
      tables[byte][i] = MultiplyModulo(shift, i << (8 * byte));
    }
  }
  return tables;
}

constexpr auto kShiftLane = MakeShiftTables(kLaneBytes);

uint32_t ShiftByLane(uint32_t crc) {
  return kShiftLane[0][crc & 0xff] ^ kShiftLane[1][(crc >> 8) & 0xff] ^
         kShiftLane[2][(crc >> 16) & 0xff] ^ kShiftLane[3][crc >> 24];
}

__attribute__((target("sse4.2"))) uint32_t ExtendHardware(uint32_t state,
                                                          const unsigned char* p,
                                                          size_t length) {
  uint64_t crc = state;
  for (; length >= 3 * kLaneBytes; p += 3 * kLaneBytes, length -= 3 * kLaneBytes) {
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < kLaneBytes; i += 8) {
      crc = _mm_crc32_u64(crc, LoadLittleEndian64(p + i));
      second = _mm_crc32_u64(second, LoadLittleEndian64(p + kLaneBytes + i));
      third = _mm_crc32_u64(third, LoadLittleEndian64(p + 2 * kLaneBytes + i));
    }
    crc = ShiftByLane(static_cast<uint32_t>(crc)) ^ second;
    crc = ShiftByLane(static_cast<uint32_t>(crc)) ^ third;
  }
  for (; length >= 8; p += 8, length -= 8)
    crc = _mm_crc32_u64(crc, LoadLittleEndian64(p));
  for (; length > 0; ++p, --length) {
    crc = _mm_crc32_u8(static_cast<uint32_t>(crc), *p);
  }
  return static_cast<uint32_t>(crc);
}

const bool kHasHardware = __builtin_cpu_supports("sse4.2") != 0;
#endif

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, std::string_view data) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(data.data());
#if defined(__x86_64__)
  if (kHasHardware) return ~ExtendHardware(~crc, bytes, data.size());
#endif
  return ~ExtendPortable(~crc, bytes, data.size());
}

uint32_t Crc32c(std::string_view data) {
  return ExtendCrc32c(0, data);
}

uint32_t CombineCrc32c(uint32_t crc_a, uint32_t crc_b, uint64_t length_b) {
  return MultiplyModulo(ShiftOperator(length_b), crc_a) ^ crc_b;
}

}  // namespace slipstream
