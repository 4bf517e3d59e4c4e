#include "dfs-master/codec.h"

namespace slipstream::dfs::master {

void Encoder::Number(uint64_t value) {
  while (value >= 0x80) {
    bytes_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  bytes_.push_back(static_cast<char>(value));
}

void Encoder::String(std::string_view text) {
  Number(text.size());
  bytes_.append(text);
}

void Decoder::Fail() {
  has_failed_ = true;
  rest_ = {};
}

uint64_t Decoder::Number() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) break;
    auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  Fail();
  return 0;
}

uint32_t Decoder::Number32() {
  uint64_t value = Number();
  if (value <= UINT32_MAX) return static_cast<uint32_t>(value);
  Fail();
  return 0;
}

std::string Decoder::String() {
  uint64_t length = Number();
  if (length > rest_.size()) {
    Fail();
    return {};
  }
  std::string text(rest_.substr(0, length));
  rest_.remove_prefix(length);
  return text;
}

uint64_t Decoder::Count() {
  uint64_t count = Number();
  if (count <= rest_.size()) return count;
  Fail();
  return 0;
}

Status Decoder::Finish(std::string_view what) const {
  if (has_failed_) return DataLoss(std::string(what) + ": record is cut short or malformed");
  if (!rest_.empty()) return DataLoss(std::string(what) + ": bytes behind the record");
  return {};
}

uint64_t HashContent(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : bytes)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string BigEndian(uint64_t value) {
  std::string key;
  AppendBigEndian(key, value);
  return key;
}

void AppendBigEndian(std::string& key, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8)
    key.push_back(static_cast<char>(value >> shift));
}

uint64_t ReadBigEndian(std::string_view key, size_t offset) {
  if (key.size() < offset + 8) return 0;
  uint64_t value = 0;
  for (char c : key.substr(offset, 8))
    value = (value << 8) | static_cast<unsigned char>(c);
  return value;
}

}  // namespace slipstream::dfs::master
