#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "common/status/status.h"

// How the runtime's own records are written: fixed-width little-endian numbers, texts behind a
// 32-bit length. docs/FORMATS.md has the records under "Changelog".

namespace slipstream::runtime {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "byte swaps are needed here");

class RecordWriter {
 public:
  template <std::integral T>
  void Number(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    bytes_.append(bytes, sizeof(T));
  }
  void Text(std::string_view text) {
    Number(static_cast<uint32_t>(text.size()));
    bytes_.append(text);
  }
  const std::string& bytes() const { return bytes_; }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what RecordWriter wrote. The first read beyond the end makes ok() false for good; what is
// read from then on is zero or empty.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}

  template <std::integral T>
  T Number() {
    T value{};
    if (rest_.size() < sizeof(T)) {
      Fail();
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  std::string Text() {
    const uint32_t size = Number<uint32_t>();
    if (rest_.size() < size) {
      Fail();
      return {};
    }
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }
  bool ok() const { return is_ok_; }
  // All was read, and nothing is left.
  bool AtEnd() const { return is_ok_ && rest_.empty(); }
  size_t rest_bytes() const { return rest_.size(); }

 private:
  void Fail() {
    is_ok_ = false;
    rest_ = {};
  }

  std::string_view rest_;
  bool is_ok_ = true;
};

}  // namespace slipstream::runtime
