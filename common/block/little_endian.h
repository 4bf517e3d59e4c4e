#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

// Fixed-width little-endian numbers, as the block formats hold them. Compiles to plain loads and
// stores on little-endian machines, the only ones this builds for.

namespace slipstream::block {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "byte swaps are needed here");

template <std::unsigned_integral T>
void AppendLittleEndian(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

// The number at `offset`; the caller has made sure that `offset + sizeof(T) <= data.size()`.
template <std::unsigned_integral T>
T LoadLittleEndian(std::string_view data, size_t offset) {
  T value = 0;
  std::memcpy(&value, data.data() + offset, sizeof(T));
  return value;
}

}  // namespace slipstream::block
