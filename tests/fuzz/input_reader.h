#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace slipstream::fuzz {

// InputReader: the bytes of an input as the decisions of a test: numbers and texts, in order.
// Behind the end everything is zero or empty, so every input is a whole program.
class InputReader final {
 public:
  explicit InputReader(std::string_view bytes) : rest_(bytes) {}

  bool is_empty() const { return rest_.empty(); }

  // Little-endian, of as many bytes as the type has.
  template <class Number>
  Number Take() {
    static_assert(std::is_integral_v<Number>);
    Number number{};
    const std::string_view bytes = Bytes(sizeof(Number));
    std::memcpy(&number, bytes.data(), bytes.size());
    return number;
  }
  uint8_t Byte() { return Take<uint8_t>(); }
  bool Bit() { return (Byte() & 1) != 0; }
  // In [0, bound); one byte where that is enough.
  size_t Below(size_t bound) {
    return bound <= 256 ? Byte() % std::max<size_t>(bound, 1) : Take<uint32_t>() % bound;
  }
  // One of `choices`, which are not empty.
  template <class Choices>
  const auto& Pick(const Choices& choices) {
    return choices[Below(std::size(choices))];
  }
  // A number of the kind that programs get wrong: small ones, powers of two and their neighbours.
  uint64_t Number() {
    const uint8_t shape = Byte();
    if (shape < 0x80) return shape & 0x3f;
    if (shape < 0xc0) return (uint64_t{1} << (shape & 0x3f)) + Byte() % 3 - 1;
    return Take<uint64_t>();
  }
  // The next `count` bytes, or what is left.
  std::string_view Bytes(size_t count) {
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(bytes.size());
    return bytes;
  }
  // A text behind its length of one byte.
  std::string_view Text() { return Bytes(Byte()); }
  std::string_view Rest() { return Bytes(rest_.size()); }

 private:
  std::string_view rest_;
};

}  // namespace slipstream::fuzz
