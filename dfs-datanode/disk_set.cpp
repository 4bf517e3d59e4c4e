#include "dfs-datanode/disk_set.h"

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "common/log/log.h"

namespace slipstream::datanode {
namespace {

std::string MintNodeId(uint64_t seed) {
  if (seed != 0) return fmt::format("{:016x}", std::mt19937_64(seed)());
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

Disk::Options OptionsOfDisk(const DiskSet::Options& options, size_t index) {
  Disk::Options disk = options.disk;
  if (options.seed != 0) disk.salt_seed = options.seed + 1 + index;
  return disk;
}

}  // namespace

DiskSet::DiskSet(const Options& options, const Clock& clock)
    : options_(options), credits_(options.disks.size()) {
  for (const DiskLocation& location : options.disks) {
    disks_.push_back(
        std::make_unique<Disk>(location, OptionsOfDisk(options, disks_.size()), clock));
  }
}

Result<std::unique_ptr<DiskSet>> DiskSet::Open(const Options& options, const Clock& clock) {
  if (options.disks.empty()) return InvalidArgument("no data directory");
  std::unique_ptr<DiskSet> set(new DiskSet(options, clock));
  RETURN_IF_ERROR(set->TakeDisks());
  RETURN_IF_ERROR(set->AgreeOnNode());
  return set;
}

Status DiskSet::TakeDisks() {
  std::set<std::pair<FileSystem*, std::string>> known;
  Status first_failure;
  for (size_t i = 0; i < disks_.size(); ++i) {
    Disk& disk = *disks_[i];
    if (!known.emplace(options_.disks[i].fs, disk.path()).second) {
      return InvalidArgument(fmt::format("data directory {} is given twice", disk.path()));
    }
    Status status = disk.Take().WithContext("data directory " + disk.path());
    if (status.ok()) continue;
    if (status.code() == Code::kFailedPrecondition || status.code() == Code::kDataLoss) {
      return status;
    }
    disk.GiveUp(status.ToString());
    if (first_failure.ok()) first_failure = status;
  }
  return CheckEnough().ok() ? Status() : first_failure;
}

Status DiskSet::AgreeOnNode() {
  const Disk* first = nullptr;  // that has an id
  bool has_failed = false;
  for (const std::unique_ptr<Disk>& disk : disks_) {
    has_failed = has_failed || !disk->is_in_service();
    if (!disk->is_in_service() || disk->directory().node_id().empty()) continue;
    if (first == nullptr) {
      first = disk.get();
      node_id_ = disk->directory().node_id();
    } else if (disk->directory().node_id() != node_id_) {
      return FailedPrecondition(fmt::format("data directory {} is of node {}, {} of node {}",
                                            first->path(),
                                            node_id_,
                                            disk->path(),
                                            disk->directory().node_id()));
    }
  }
  if (first == nullptr) {
    // Else the disks of one node could become two.
    if (has_failed) return FailedPrecondition("no disk that works says which node this is");
    node_id_ = MintNodeId(options_.seed);
  }
  for (const std::unique_ptr<Disk>& disk : disks_) {
    if (!disk->is_in_service() || !disk->directory().node_id().empty()) continue;
    if (first != nullptr) {
      log::Get("datanode.disk")->warn("disk_added path={} node_id={}", disk->path(), node_id_);
    }
    if (Status status = disk->directory().Adopt(node_id_); !status.ok()) {
      RETURN_IF_ERROR(disks_.size() == 1 ? status : Status());
      disk->GiveUp(status.ToString());
    }
  }
  return CheckEnough();
}

Status DiskSet::CheckEnough() const {
  size_t in_service = 0;
  std::string failures;
  for (const std::unique_ptr<Disk>& disk : disks_) {
    if (disk->is_in_service()) {
      ++in_service;
    } else {
      failures += fmt::format("; {}: {}", disk->path(), disk->failure());
    }
  }
  if (in_service >= options_.disks_min) return {};
  return Unavailable(fmt::format("{} of {} disks work, {} are needed{}",
                                 in_service,
                                 disks_.size(),
                                 options_.disks_min,
                                 failures));
}

std::vector<size_t> DiskSet::Order() {
  struct Candidate {
    size_t index = 0;
    bool is_suspect = false;
    double free_bytes = 0;
    double credit = 0;
  };
  std::vector<Candidate> candidates;
  double free_bytes = 0;
  for (size_t i = 0; i < disks_.size(); ++i) {
    if (!disks_[i]->is_in_service()) continue;
    const Result<Disk::Space> space = disks_[i]->GetSpace();
    if (!space.ok()) continue;
    candidates.push_back({.index = i,
                          .is_suspect = disks_[i]->is_suspect(),
                          .free_bytes = static_cast<double>(space->free_bytes)});
    free_bytes += candidates.back().free_bytes;
  }
  MutexLock lock(mutex_);
  for (Candidate& candidate : candidates) {
    if (free_bytes > 0) credits_[candidate.index] += candidate.free_bytes / free_bytes;
    candidate.credit = credits_[candidate.index];
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::pair(a.is_suspect, -a.credit) < std::pair(b.is_suspect, -b.credit);
  });
  if (!candidates.empty()) credits_[candidates.front().index] -= 1;
  std::vector<size_t> order;
  order.reserve(candidates.size());
  for (const Candidate& candidate : candidates)
    order.push_back(candidate.index);
  return order;
}

Result<DiskSet::Place> DiskSet::Reserve(uint64_t bytes) {
  Status failure = ResourceExhausted("no disk works");
  for (size_t index : Order()) {
    Result<Disk::Hold> hold = disks_[index]->Reserve(bytes);
    if (hold.ok()) return Place{.disk_index = index, .hold = std::move(*hold)};
    failure = hold.status();
  }
  return failure;
}

uint64_t DiskSet::LoadNumber(const std::string& name) const {
  uint64_t number = 0;
  for (const std::unique_ptr<Disk>& disk : disks_) {
    if (disk->is_in_service()) number = std::max(number, disk->directory().LoadNumber(name));
  }
  return number;
}

Status DiskSet::SaveNumber(const std::string& name, uint64_t number) {
  Status failure = Unavailable("no disk works");
  bool is_saved = false;
  for (const std::unique_ptr<Disk>& disk : disks_) {
    if (!disk->is_in_service()) continue;
    const Status status = disk->directory().SaveNumber(name, number);
    is_saved = is_saved || status.ok();
    if (!status.ok()) failure = status;
  }
  return is_saved ? Status() : failure;
}

}  // namespace slipstream::datanode
