#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "processor/engine/file_source.h"

namespace slipstream::sql {

// MemoryFileSource: files of a test; gives them out in chunks of a few bytes.
class MemoryFileSource final : public FileSource {
 public:
  explicit MemoryFileSource(size_t chunk_bytes = 7) : chunk_bytes_(chunk_bytes) {}

  void Put(const std::string& path, std::string text) {
    files_[path] = std::move(text);
    modified_us_[path] = ++clock_us_;
  }
  void Remove(const std::string& path) { files_.erase(path); }
  void Clear() { files_.clear(); }
  // Whether somebody writes it still.
  void SetOpen(const std::string& path, bool is_open) { is_open_[path] = is_open; }
  // While it is away every call fails.
  void SetAway(bool is_away) { is_away_ = is_away; }

  Result<std::vector<SourceFile>> List(const std::string& path) override {
    if (is_away_) return Unavailable("the store is away");
    std::vector<SourceFile> found;
    for (const auto& [name, text] : files_) {
      if (name.starts_with(path)) {
        found.push_back({.path = name,
                         .relative_path = name.substr(path.size()),
                         .length = text.size(),
                         .modified_us = modified_us_.at(name),
                         .is_open = is_open_[name]});
      }
    }
    if (found.empty()) return NotFound("no such path " + path);
    return found;
  }
  Result<std::unique_ptr<FileReader>> Open(const std::string& path) override {
    if (is_away_) return Unavailable("the store is away");
    const auto found = files_.find(path);
    if (found == files_.end()) return NotFound("no such file " + path);
    return std::unique_ptr<FileReader>(std::make_unique<Reader>(found->second, chunk_bytes_));
  }

 private:
  class Reader final : public FileReader {
   public:
    Reader(std::string text, size_t chunk_bytes)
        : text_(std::move(text)), chunk_bytes_(chunk_bytes) {}
    Result<size_t> Read(std::span<char> buffer) override {
      const size_t count = std::min({buffer.size(), chunk_bytes_, text_.size() - used_});
      std::copy_n(text_.begin() + static_cast<ptrdiff_t>(used_), count, buffer.begin());
      used_ += count;
      return count;
    }

   private:
    const std::string text_;
    const size_t chunk_bytes_;
    size_t used_ = 0;
  };

  const size_t chunk_bytes_;
  std::map<std::string, std::string> files_;
  std::map<std::string, int64_t> modified_us_;
  std::map<std::string, bool> is_open_;
  bool is_away_ = false;
  int64_t clock_us_ = 0;
};

}  // namespace slipstream::sql
