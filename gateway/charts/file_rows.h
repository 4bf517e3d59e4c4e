#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "dfs-client/dfs_client.h"
#include "gateway/charts/row_source.h"

namespace slipstream::gateway::charts {

// FileRows: the lines of all files below a path of the file system; hidden ones ("_", ".") are left
// out. Files that grow are read on where their last whole line ended.
//
// Bounds     kFilesMax files; kTurnBytes a turn; a line longer than that is passed over.
// Ownership  borrows client and clock.
class FileRows final : public RowSource {
 public:
  static constexpr size_t kFilesMax = 2'000;
  static constexpr uint64_t kTurnBytes = 4ULL << 20;

  FileRows(std::string path, dfs::DfsClient& client, const Clock& clock)
      : path_(std::move(path)), client_(client), clock_(clock) {}

  Result<Progress> ReadOn(const Take& take) override;

 private:
  struct File {
    std::string path;
    uint64_t inode_id = 0;
    uint64_t truncation_count = 0;
    uint64_t length_bytes = 0;
    std::vector<std::pair<std::string, std::string>> folders;
  };
  struct Position {
    uint64_t truncation_count = 0;
    uint64_t next_bytes = 0;  // all lines before it were given
  };

  Result<std::vector<File>> ListFiles();
  // Whether what was read is still there.
  bool IsAsBefore(const std::vector<File>& files) const;
  // Reads a piece of the file; `budget` is taken from.
  Status ReadFile(const File& file, uint64_t& budget, Progress& progress, const Take& take);

  const std::string path_;
  dfs::DfsClient& client_;
  const Clock& clock_;
  std::map<uint64_t, Position> positions_;  // by inode
};

}  // namespace slipstream::gateway::charts
