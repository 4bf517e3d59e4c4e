#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status/status.h"

namespace slipstream::dfs::master {

// The bytes of records: numbers as LEB128 varints, strings with their length before them.

class Encoder final {
 public:
  void Number(uint64_t value);
  void Signed(int64_t value) { Number(static_cast<uint64_t>(value)); }
  void String(std::string_view text);

  std::string Take() { return std::move(bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Reads what an Encoder wrote. After the first thing that does not fit every value is zero or
// empty; Finish() tells.
class Decoder final {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  uint64_t Number();
  int64_t Signed() { return static_cast<int64_t>(Number()); }
  uint32_t Number32();
  std::string String();
  // A count of things that each take at least one byte: bounded by what is there.
  uint64_t Count();

  // kDataLoss, naming `what`, unless everything fitted and nothing is left over.
  Status Finish(std::string_view what) const;

 private:
  void Fail();

  std::string_view rest_;
  bool has_failed_ = false;
};

// FNV-1a, 64 bits: tells whether two requests ask for the same.
uint64_t HashContent(std::string_view bytes);

// Numbers in keys: eight bytes, big-endian.
std::string BigEndian(uint64_t value);
void AppendBigEndian(std::string& key, uint64_t value);
// Reads the eight bytes at `offset`; 0 where there are fewer.
uint64_t ReadBigEndian(std::string_view key, size_t offset = 0);

}  // namespace slipstream::dfs::master
