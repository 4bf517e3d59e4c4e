#include "processor/engine/seen_files.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>
#include <utility>

#include <openssl/evp.h>

#include "common/check/check.h"
#include "processor/expr/state_bytes.h"

namespace slipstream::sql {
namespace {

// No operator has the number in it, nor has a table's watermark.
constexpr std::string_view kKeyPrefix = "\x01\xFF\xFE";
constexpr uint8_t kValueVersion = 1;

std::string KeyOf(std::span<const char> digest) {
  return std::string(kKeyPrefix).append(digest.data(), digest.size());
}

}  // namespace

size_t SeenFiles::DigestHash::operator()(const Digest& digest) const {
  size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof(hash));
  return hash;
}

SeenFiles::Digest SeenFiles::DigestOf(std::string_view relative_path) {
  unsigned char whole[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const int done =
      EVP_Digest(relative_path.data(), relative_path.size(), whole, &size, EVP_sha256(), nullptr);
  SLIPSTREAM_CHECK(done == 1, "this machine's OpenSSL has no SHA-256");
  Digest digest;
  std::memcpy(digest.data(), whole, digest.size());
  return digest;
}

bool SeenFiles::IsRead(std::string_view relative_path) const {
  return read_.contains(DigestOf(relative_path));
}

void SeenFiles::Begin(const SourceFile& file) {
  reading_ = BegunFile{.relative_path = file.relative_path, .length = file.length};
  has_progress_ = true;
}

void SeenFiles::Take(size_t records, uint64_t end_bytes) {
  SLIPSTREAM_CHECK(reading_ && end_bytes >= reading_->taken_bytes, "records of no file");
  reading_->taken_bytes = end_bytes;
  record_count_ += static_cast<int64_t>(records);
  has_progress_ = true;
}

void SeenFiles::Finish() {
  SLIPSTREAM_CHECK(reading_.has_value(), "the end of no file");
  Skip(reading_->relative_path);
  GiveUp();
}

void SeenFiles::GiveUp() {
  reading_.reset();
  has_progress_ = true;
}

void SeenFiles::Skip(std::string_view relative_path) {
  const Digest digest = DigestOf(relative_path);
  read_[digest] = 0;
  changed_.push_back(digest);
}

void SeenFiles::Compare(std::span<const SourceFile> files, int64_t now_us) {
  std::unordered_set<Digest, DigestHash> listed;
  listed.reserve(files.size());
  for (const SourceFile& file : files)
    listed.insert(DigestOf(file.relative_path));
  for (auto read = read_.begin(); read != read_.end();) {
    int64_t& missing_since_us = read->second;
    const bool is_there = listed.contains(read->first);
    const bool is_over =
        !is_there && missing_since_us != 0 && now_us - missing_since_us >= kForgetAfterUs;
    if (is_over || is_there != (missing_since_us == 0)) changed_.push_back(read->first);
    if (is_there) {
      missing_since_us = 0;
    } else if (missing_since_us == 0) {
      missing_since_us = now_us;
    }
    read = is_over ? read_.erase(read) : std::next(read);
  }
}

void SeenFiles::SaveChanges(runtime::StateWriter& writer) {
  std::sort(changed_.begin(), changed_.end());
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
  std::string value;
  for (const Digest& digest : changed_) {
    const auto read = read_.find(digest);
    if (read == read_.end()) {
      writer.Delete(KeyOf(digest));
      continue;
    }
    value.clear();
    PutByte(value, kValueVersion);
    PutInt64(value, read->second);
    writer.Put(KeyOf(digest), value);
  }
  changed_.clear();
  if (!std::exchange(has_progress_, false)) return;
  value.clear();
  PutByte(value, kValueVersion);
  PutInt64(value, record_count_);
  PutByte(value, reading_ ? 1 : 0);
  if (reading_) {
    PutText(value, reading_->relative_path);
    PutNumber(value, reading_->length);
    PutNumber(value, reading_->taken_bytes);
  }
  writer.Put(kKeyPrefix, value);
}

bool SeenFiles::IsKey(std::string_view key) {
  return key.starts_with(kKeyPrefix);
}

Status SeenFiles::Restore(std::string_view key, std::string_view value) {
  uint8_t version = 0;
  if (!TakeByte(value, version)) return DamagedState("of a watched folder");
  if (version != kValueVersion) {
    return Unimplemented("state of a watched folder in version " + std::to_string(version) +
                         ": of a newer processor");
  }
  key.remove_prefix(kKeyPrefix.size());
  if (key.empty()) return RestoreProgress(value);
  Digest digest;
  int64_t missing_since_us = 0;
  if (key.size() != digest.size() || !TakeInt64(value, missing_since_us) || !value.empty()) {
    return DamagedState("file of a watched folder");
  }
  std::copy(key.begin(), key.end(), digest.begin());
  read_[digest] = missing_since_us;
  return {};
}

Status SeenFiles::RestoreProgress(std::string_view value) {
  uint8_t is_reading = 0;
  bool is_whole = TakeCount(value, record_count_) && TakeByte(value, is_reading) && is_reading <= 1;
  if (is_whole && is_reading == 1) {
    std::string_view path;
    BegunFile& reading = reading_.emplace();
    is_whole = TakeText(value, path) && TakeNumber(value, reading.length) &&
               TakeNumber(value, reading.taken_bytes);
    reading.relative_path = path;
  }
  return is_whole && value.empty() ? Status() : DamagedState("progress in a watched folder");
}

}  // namespace slipstream::sql
