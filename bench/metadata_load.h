#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "bench/call_load.h"
#include "common/status/status.h"

namespace slipstream::bench {

// MetadataLoad: what one master does under many callers. Names are three levels deep,
// /d17/s4/f512: a hundred folders, ten in each, a thousand files without blocks in each of those.
// Threads: not thread-safe; starts its own.
class MetadataLoad final {
 public:
  struct Options {
    std::string master;  // HOST:PORT
    size_t callers = 64;
    size_t channels = 8;
    std::chrono::milliseconds duration{5'000};
  };

  explicit MetadataLoad(const Options& options);
  ~MetadataLoad();

  // Makes the million names, 10,000 a call; returns names a second. Once for each store.
  Result<double> MakeNames();

  // Calls of one name each, of random ones.
  LoadResult Empty();  // a call that any server of gRPC's answers at once: see ServeEmptyCalls
  LoadResult Stat();
  LoadResult Create();  // durable: a file of its own with each call

  // Calls of many names; the results count calls of kBatch names each.
  static constexpr size_t kBatch = 1'000;
  LoadResult CreateBatch();
  LoadResult StatBatch();
  LoadResult List();  // a folder of a thousand names a page

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Serves the call that Empty() makes and nothing else, with the same options as the master's
// server, until stdin ends. Prints its address first.
Status ServeEmptyCalls();

}  // namespace slipstream::bench
