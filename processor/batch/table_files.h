#pragma once

#include <memory>
#include <string>
#include <vector>

#include "processor/batch/file_systems.h"
#include "processor/engine/file_source.h"

namespace slipstream::processor {

// TableFiles: the files of 'connector' = 'filesystem' tables, on this machine's disks and in the
// distributed file system. Files and folders whose names begin with '_' or '.' (markers, and what
// is being written elsewhere) are not part of a table.
//
// Files whose names end with .gz or .zst are given unpacked.
// A listing of a dfs folder shows what was committed when each folder was listed; a file is read as
// it was committed when it was opened.
// Ownership  borrows the file systems.
// Threads    thread-safe.
// Bounds     kFilesMax files a table.
class TableFiles final : public sql::FileSource {
 public:
  static constexpr size_t kFilesMax = 1'000'000;

  explicit TableFiles(FileSystems& file_systems) : file_systems_(file_systems) {}

  Result<std::vector<sql::SourceFile>> List(const std::string& path) override;
  Result<std::unique_ptr<sql::FileReader>> Open(const std::string& path) override;

 private:
  FileSystems& file_systems_;
};

}  // namespace slipstream::processor
