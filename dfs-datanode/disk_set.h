#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-datanode/disk.h"

namespace slipstream::datanode {

// DiskSet: the disks that are one datanode together: every one has the node's id, and its own copy
// of the few numbers a node remembers.
//
// A disk that fails is left out from then on; one that cannot be used at the start, too. The node
// goes on while at least disks_min are in service.
// Ownership  owns the disks.
// Threads    thread-safe.
class DiskSet final {
 public:
  struct Options {
    std::vector<DiskLocation> disks;
    size_t disks_min = 1;
    uint64_t seed = 0;  // of the node id and the packs' names; 0: really random
    Disk::Options disk;
  };

  // Takes all disks and gives new ones the node's id. Errors: kInvalidArgument (none, or one
  // twice), kFailedPrecondition (another process runs on one, they are of different nodes, or it
  // cannot be told which node it is), kDataLoss (a damaged node id), or, with too few that work,
  // what was wrong with the first.
  static Result<std::unique_ptr<DiskSet>> Open(const Options& options, const Clock& clock);

  const std::string& node_id() const { return node_id_; }
  size_t size() const { return disks_.size(); }
  Disk& disk(size_t index) { return *disks_[index]; }
  const Disk& disk(size_t index) const { return *disks_[index]; }

  // kUnavailable when fewer than disks_min are in service: the node is at its end.
  Status CheckEnough() const;

  // The next disk for something of `bytes`, with the room held: in turn, weighted by what they
  // have free; one that something failed on lately only if there is no other. kResourceExhausted.
  struct Place {
    size_t disk_index = 0;
    Disk::Hold hold;
  };
  Result<Place> Reserve(uint64_t bytes);

  // A number kept under a name on every disk, the largest of what they have; 0 if there is none.
  uint64_t LoadNumber(const std::string& name) const;
  // OK when it is on one disk at least.
  Status SaveNumber(const std::string& name, uint64_t number);

 private:
  DiskSet(const Options& options, const Clock& clock);

  Status TakeDisks();
  Status AgreeOnNode();
  // Disks in the order in which they should be tried.
  std::vector<size_t> Order();

  const Options options_;
  std::vector<std::unique_ptr<Disk>> disks_;
  std::string node_id_;

  Mutex mutex_;
  std::vector<double> credits_ GUARDED_BY(mutex_);  // of each disk: who is next
};

}  // namespace slipstream::datanode
