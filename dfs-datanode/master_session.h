#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <stop_token>
#include <string>

#include "common/block/block.h"
#include "common/clock/clock.h"
#include "common/rpc/retry.h"
#include "common/rpc/transport.h"
#include "common/status/status.h"
#include "dfs-datanode/block_merger.h"
#include "dfs-datanode/block_token_checker.h"
#include "dfs-datanode/disk_set.h"
#include "dfs-datanode/replica_copier.h"
#include "dfs-datanode/replica_store.h"
#include "dfs-datanode/scrubber.h"

namespace slipstream::dfs::v1 {
class NodeCommand;
}

namespace slipstream::datanode {

// MasterSession: what a datanode and its master tell each other. Registers, sends a full report,
// then heartbeats: one a period, and at once when replicas changed; carries out what the answers
// order, or hands it to whoever does. A full report goes out again now and then, against whatever
// either side may have got wrong.
//
// Deletes are obeyed only from a master whose log is not behind the newest that this node has ever
// seen (kept in the data directory): one that was restored from an old copy does not know what was
// committed since.
// Ownership  borrows all it is given; they must outlive it.
// Threads    Step() and SaveLogPosition() from one thread at a time; the rest is thread-safe after
//            SetAddresses().
class MasterSession final {
 public:
  struct Options {
    std::string master;          // HOST:PORT
    std::string failure_domain;  // empty: the host of the address
    std::string rack;            // e.g. "/rack1"; empty: none known
    std::string host;            // empty: the host of the address
    std::string version;
    std::chrono::milliseconds heartbeat_period{1'000};
    // Changes that come closer together go in one heartbeat.
    std::chrono::milliseconds change_delay{20};
    // Without an answer for this long the node counts itself as lost to its master.
    std::chrono::milliseconds contact_timeout{15'000};
    // From one full report to the next, drawn evenly from the upper half.
    std::chrono::milliseconds report_interval{std::chrono::hours(6)};
    std::function<uint32_t()> active_writes;
  };

  MasterSession(Options options,
                rpc::Transport& transport,
                DiskSet& disks,
                ReplicaStore& store,
                Scrubber& scrubber,
                ReplicaCopier& copier,
                BlockMerger& merger,
                BlockTokenChecker& tokens,
                const Clock& clock);
  ~MasterSession();

  // This node as others reach it, HOST:PORT, and its admin port. Before the first Step().
  void SetAddresses(const std::string& address, const std::string& admin_address);

  // One round: whatever is due before a heartbeat, and a heartbeat. Returns how long to wait
  // before the next, which may come sooner if replicas changed; after a failure it returns at
  // once until that time is over. Blocks for at most a few seconds, a minute for a full report.
  std::chrono::milliseconds Step(const std::stop_token& stop = {});

  // Tells the master what became of its order to merge. The value: whether the new block has
  // taken the place of its sources.
  Result<bool> FinishMerge(const MergeOutcome& outcome);

  // Makes a restart remember the newest log position; done now and then by itself.
  void SaveLogPosition();

  // Whether the master has answered within the contact timeout.
  bool has_master() const;
  // The newest that this node has seen of any master.
  uint64_t log_position() const { return log_position_; }

 private:
  static constexpr int64_t kNever = INT64_MIN;

  int64_t NowMs() const;
  Status Exchange(const std::stop_token& stop);
  Status ForgottenOr(Status status);
  void NoteContact(const Status& status);
  Status Register(const std::stop_token& stop);
  Status SendFullReport(const std::stop_token& stop);
  Status Heartbeat(const std::stop_token& stop);
  bool SeeLogPosition(uint64_t position);
  void CarryOut(const dfs::v1::NodeCommand& command, bool is_current);
  void Delete(block::BlockId block_id, bool is_current);

  const Options options_;
  DiskSet& disks_;
  ReplicaStore& store_;
  Scrubber& scrubber_;
  ReplicaCopier& copier_;
  BlockMerger& merger_;
  BlockTokenChecker& tokens_;
  const Clock& clock_;
  const std::shared_ptr<rpc::Peer> master_;  // shared with the transport

  std::atomic<int64_t> last_contact_ms_{kNever};
  std::atomic<uint64_t> log_position_;
  std::atomic<uint64_t> session_{0};

  // Of whoever steps.
  std::string address_;
  std::string admin_address_;
  rpc::Backoff backoff_;
  std::mt19937_64 random_;
  SteadyTime retry_at_{};   // after a failure
  SteadyTime report_at_{};  // the next full report
  uint64_t saved_log_position_;
  SteadyTime log_position_saved_;
  bool is_registered_ = false;
  bool needs_report_ = false;
  bool is_in_contact_ = false;
  Status last_error_;
};

}  // namespace slipstream::datanode
