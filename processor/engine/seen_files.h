#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/status/status.h"
#include "processor/engine/file_source.h"
#include "processor/runtime/task_program.h"

namespace slipstream::sql {

// A file that is being read.
struct BegunFile {
  std::string relative_path;
  uint64_t length = 0;       // of the file when it was begun, as it was listed
  uint64_t taken_bytes = 0;  // of its text, unpacked, whose records have been given
};

// SeenFiles: what a task remembers of a watched folder: which of its files have been read, and how
// far it has come in the one that it reads. Saved with the rest of its state, so in the transaction
// of what the rows became.
//
// A file is its path below the folder, whatever it holds. Of those that were read 16 bytes each are
// kept (of the path's SHA-256); of one that is gone from the folder for kForgetAfter nothing, so
// the memory is that of the files there are. A path that comes again after that is a new file.
// Layout   keys and values in docs/FORMATS.md#a-watched-folder.
// Threads  one at a time. No I/O.
class SeenFiles {
 public:
  static constexpr int64_t kForgetAfterUs = int64_t{24} * 60 * 60 * 1'000'000;

  bool IsRead(std::string_view relative_path) const;
  // How many are remembered.
  size_t size() const { return read_.size(); }
  const std::optional<BegunFile>& reading() const { return reading_; }
  // Of all files so far: the number of the next one.
  int64_t record_count() const { return record_count_; }

  void Begin(const SourceFile& file);
  // `records` more are given, which end at `end_bytes` of the text.
  void Take(size_t records, uint64_t end_bytes);
  // What was begun is read.
  void Finish();
  // What was begun is no more, and nothing of it was taken.
  void GiveUp();
  // The file counts as read.
  void Skip(std::string_view relative_path);
  // `files` is all that is in the folder: remembers who is missing since when, and forgets.
  void Compare(std::span<const SourceFile> files, int64_t now_us);

  // Since they were saved.
  bool has_changes() const { return has_progress_ || !changed_.empty(); }
  void SaveChanges(runtime::StateWriter& writer);
  static bool IsKey(std::string_view key);
  Status Restore(std::string_view key, std::string_view value);

 private:
  using Digest = std::array<char, 16>;
  struct DigestHash {
    size_t operator()(const Digest& digest) const;
  };

  static Digest DigestOf(std::string_view relative_path);
  Status RestoreProgress(std::string_view value);

  // Since when it is missed; 0: it is there.
  std::unordered_map<Digest, int64_t, DigestHash> read_;
  std::optional<BegunFile> reading_;
  int64_t record_count_ = 0;

  std::vector<Digest> changed_;  // since they were saved
  bool has_progress_ = false;    // likewise
};

}  // namespace slipstream::sql
