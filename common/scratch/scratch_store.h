#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/status/status.h"

namespace slipstream {

// ScratchSpace: keys and values of one owner that may be more than memory holds, and that nobody
// wants back once the process is gone: nothing is synced, and the space is empty when it is made.
//
// Order       of keys as bytes compare.
// Errors      the first one is kept by the store (ScratchStore::status). From then on writes do
//             nothing and nothing is found, so whoever uses it asks before anything comes of what
//             was read.
// Threads     one at a time; the spaces of a store are independent of one another.
// Blocking    for as long as a disk takes.
// Ownership   its store outlives it.
class ScratchSpace {
 public:
  virtual ~ScratchSpace() = default;

  virtual void Put(std::string_view key, std::string_view value) = 0;
  virtual void Delete(std::string_view key) = 0;
  // false: it is not there.
  virtual bool Get(std::string_view key, std::string& value) = 0;
  // What begins with `prefix`, in order, until `visit` says false. It sees what was there when the
  // scan began; `visit` may change the space. Views live for the call.
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;
  void Scan(std::string_view prefix, const Visit& visit) {
    ScanFrom({.prefix = prefix, .first = prefix}, visit);
  }
  // The same, but for what is before the key `first`, which begins with `prefix`: so what was
  // deleted there is not passed by again.
  struct Range {
    std::string_view prefix;
    std::string_view first;
  };
  virtual void ScanFrom(const Range& range, const Visit& visit) = 0;

  // What was read makes no sense: kept like a failure of the store's own.
  virtual void Fail(const Status& status) = 0;

  // How much its owner may keep in memory in front of it: its share among the spaces whose owners
  // keep anything there, so it changes with them.
  virtual size_t cache_bytes() const = 0;
  // How much that is now.
  virtual void SetCached(size_t bytes) = 0;
  virtual size_t cached_bytes() const = 0;
};

// ScratchStore: where spaces are. Threads: thread-safe.
class ScratchStore {
 public:
  virtual ~ScratchStore() = default;

  virtual std::unique_ptr<ScratchSpace> NewSpace() = 0;
  // The first failure of any space.
  virtual Status status() const = 0;

  struct Counters {
    uint64_t written_bytes = 0;  // keys and values
    uint64_t reads = 0;          // Get and Scan
    uint64_t reads_found = 0;    // those that found something
    uint64_t cached_bytes = 0;   // in front of all spaces, now
    uint64_t disk_bytes = 0;     // now
  };
  virtual Counters counters() const = 0;
};

}  // namespace slipstream
