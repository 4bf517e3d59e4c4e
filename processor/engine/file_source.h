#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/status/status.h"

namespace slipstream::sql {

// One file below a table's path.
struct SourceFile {
  std::string path;           // whole, as Open takes it
  std::string relative_path;  // below the table's path: "carrier=AA/part-0-0-0-ab12.jsonl"
  uint64_t length = 0;        // when it was listed
  int64_t modified_us = 0;    // likewise; since 1970
  bool is_open = false;       // somebody writes it still, as far as the store knows
};

// FileReader: one open file, read from its begin to its end.
// Threads: one at a time. Blocking: Read.
class FileReader {
 public:
  virtual ~FileReader() = default;
  // Fills the front of `buffer`; how many bytes. 0: the end.
  virtual Result<size_t> Read(std::span<char> buffer) = 0;
};

// FileSource: where the files of 'connector' = 'filesystem' tables are: the distributed file
// system, local folders, a test's memory. A listing is one snapshot as far as the store gives one.
// Blocking  every call.
// Errors    kNotFound: no such path; kUnimplemented: a scheme nobody knows.
class FileSource {
 public:
  virtual ~FileSource() = default;
  // The files below `path`, at any depth (or `path` itself if it is a file), in the order of their
  // relative paths.
  virtual Result<std::vector<SourceFile>> List(const std::string& path) = 0;
  virtual Result<std::unique_ptr<FileReader>> Open(const std::string& path) = 0;
};

}  // namespace slipstream::sql
