#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/support/process.h"

// The command lines of `processor` and `producer`, for Process::Start and RunTool.

namespace slipstream::test_support {

// `processor run`.
struct ProcessorRun {
  std::filesystem::path job;  // the SQL file
  std::string brokers;        // HOST:PORT
  std::string master;         // HOST:PORT; empty for a job that stores nothing there
  std::map<std::string, std::string> set = {};  // --set k=v
  int workers = 1;
  bool is_bounded = false;
  bool is_fresh = false;
  std::string failpoints = {};  // SLIPSTREAM_FAILPOINTS
  std::vector<std::string> more_flags = {};
};

// `dir` is where its output goes, `name` tells it from the other processes there. It is a daemon
// (WaitForEndpoint works), bounded or not.
ProcessOptions Command(const ProcessorRun& run, std::filesystem::path dir, std::string name);

// `processor savepoint`.
struct ProcessorSavepoint {
  std::filesystem::path job;  // the SQL file
  std::string brokers;
  std::string master;  // empty for a job that stores nothing there
  std::string to;      // the new file
};
ProcessOptions Command(const ProcessorSavepoint& savepoint);

// `processor query`.
struct ProcessorQuery {
  std::string sql;
  std::string brokers;
  std::string master;
  std::filesystem::path catalog;  // empty: none
  std::string format = "csv";
  std::vector<std::string> more_flags = {};
};
ProcessOptions Command(const ProcessorQuery& query);

// `producer flights …`, `producer sensors …`: `args` begins with that verb.
ProcessOptions ProducerCommand(std::vector<std::string> args, const std::string& brokers);

}  // namespace slipstream::test_support
