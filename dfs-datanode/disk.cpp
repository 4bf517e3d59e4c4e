#include "dfs-datanode/disk.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/log/log.h"

namespace slipstream::datanode {
namespace {

constexpr char kLogName[] = "datanode.disk";
constexpr uint64_t kReserveBytesMax = uint64_t{1} << 30;
constexpr uint64_t kReserveDivisor = 20;
constexpr std::string_view kProbeContent = "whether this disk still writes and reads\n";

}  // namespace

Disk::Disk(const DiskLocation& location, const Options& options, const Clock& clock)
    : path_(location.path),
      options_(options),
      clock_(clock),
      fs_(*location.fs,
          [this](const std::string& path, const Status& error) {
            MutexLock lock(mutex_);
            health_.NoteError(path, error, clock_.Now());
          }),
      quarantine_(path_, fs_, clock),
      health_(options.health) {}

Status Disk::Take() {
  ASSIGN_OR_RETURN(directory_, DataDir::Open(path_, fs_));
  return {};
}

Result<Disk::Content> Disk::OpenStores() {
  RETURN_IF_ERROR(Probe());
  RETURN_IF_ERROR(quarantine_.Open());
  ASSIGN_OR_RETURN(blocks_, BlockStore::Open(path_, fs_, quarantine_));
  ASSIGN_OR_RETURN(packs_,
                   PackStore::Open({.root = path_,
                                    .pack_bytes_max = options_.pack_bytes_max,
                                    .salt_seed = options_.salt_seed},
                                   fs_));
  Content content;
  ASSIGN_OR_RETURN(content.in_files, blocks_->Scan());
  content.in_packs = packs_->List();
  return content;
}

// ---- Space ----

uint64_t Disk::ReserveBytes(const DiskSpace& space) const {
  if (options_.reserve_bytes != 0) return options_.reserve_bytes;
  return std::min(kReserveBytesMax, space.capacity_bytes / kReserveDivisor);
}

Result<Disk::Space> Disk::GetSpace() {
  ASSIGN_OR_RETURN(const DiskSpace space, fs_.Space(path_));
  const uint64_t kept = ReserveBytes(space) + held_bytes_;
  return Space{.capacity_bytes = space.capacity_bytes,
               .free_bytes = space.available_bytes > kept ? space.available_bytes - kept : 0,
               .device = space.device};
}

Result<Disk::Hold> Disk::Reserve(uint64_t bytes) {
  ASSIGN_OR_RETURN(const DiskSpace space, fs_.Space(path_));
  // Held first, so that of several only so many succeed as there is room for.
  Hold hold(*this, bytes);
  const uint64_t held_bytes = held_bytes_ += bytes;
  if (space.available_bytes < ReserveBytes(space) + held_bytes) {
    return ResourceExhausted(
        fmt::format("disk {} full: available_bytes={} held_bytes={} reserve_bytes={}",
                    path_,
                    space.available_bytes,
                    held_bytes,
                    ReserveBytes(space)));
  }
  return hold;
}

// ---- Health ----

void Disk::GiveUp(const std::string& reason) {
  if (!is_in_service_.exchange(false)) return;
  {
    MutexLock lock(mutex_);
    failure_ = reason;
  }
  log::Get(kLogName)->error("disk_given_up path={} reason={}", path_, log::Quoted(reason));
}

bool Disk::Check() {
  if (!is_in_service_) return false;
  bool is_due = false;
  std::string failure;
  {
    MutexLock lock(mutex_);
    is_due = health_.is_probe_due(clock_.Now());
    failure = health_.failure();
  }
  // A name that is there no more is seen at once: another disk may have been mounted over it, or
  // none, and what lies below would be written to.
  if (failure.empty()) {
    Status status = directory_->CheckNodeId();
    if (status.ok() && is_due) status = Probe();
    if (is_due || !status.ok()) {
      MutexLock lock(mutex_);
      health_.NoteProbe(status, clock_.Now());
      failure = health_.failure();
    }
  }
  if (!failure.empty()) GiveUp(failure);
  return failure.empty();
}

bool Disk::is_suspect() const {
  MutexLock lock(mutex_);
  return health_.is_suspect();
}

std::string Disk::failure() const {
  MutexLock lock(mutex_);
  return failure_;
}

Status Disk::Probe() {
  const std::string path = path_ + "/probe";
  Status status = WriteSmallFile(fs_, path, kProbeContent);
  // A full disk still reads.
  if (status.code() == Code::kResourceExhausted) return {};
  RETURN_IF_ERROR(status);
  ASSIGN_OR_RETURN(const std::string content, ReadSmallFile(fs_, path, kProbeContent.size()));
  if (content != kProbeContent) return DataLoss(path + ": not what was written");
  return {};
}

}  // namespace slipstream::datanode
