#include "dfs-datanode/master_link.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include "proto/dfs_master.grpc.pb.h"

#include "common/log/log.h"
#include "common/rpc/channel.h"
#include "common/rpc/retry.h"
#include "common/rpc/status_map.h"
#include "dfs-datanode/proto_map.h"
#include "dfs-datanode/waker.h"

namespace slipstream::datanode {
namespace {

using std::chrono::milliseconds;

constexpr char kLogPositionName[] = "master_log_position";
constexpr milliseconds kLogPositionSavePeriod{10'000};
constexpr milliseconds kReconnectTimeout{500};
constexpr milliseconds kCallTimeout{5'000};
constexpr milliseconds kReportTimeout{60'000};
constexpr size_t kChangesPerHeartbeat = 5'000;
constexpr size_t kReplicasPerReport = 10'000;  // about 400 KB a message

dfs::v1::ReplicaChange ToProto(const ReplicaChange& change) {
  dfs::v1::ReplicaChange message;
  message.set_sequence(change.sequence);
  switch (change.kind) {
    case ReplicaChange::Kind::kAdded:
      *message.mutable_added()->mutable_block() = datanode::ToProto(change.identity);
      break;
    case ReplicaChange::Kind::kRemoved:
      message.set_removed_block_id(change.identity.block_id);
      break;
    case ReplicaChange::Kind::kCorrupt:
      message.set_corrupt_block_id(change.identity.block_id);
      break;
  }
  return message;
}

}  // namespace

class MasterLink::Impl {
 public:
  Impl(Options options,
       DataDir& data_dir,
       ReplicaStore& store,
       Scrubber& scrubber,
       ReplicaCopier& copier,
       const Clock& clock)
      : options_(std::move(options)),
        data_dir_(data_dir),
        store_(store),
        scrubber_(scrubber),
        copier_(copier),
        clock_(clock),
        channel_(rpc::MakeChannel(options_.master)),
        stub_(dfs::v1::DfsNodeRegistry::NewStub(channel_)),
        log_position_(data_dir.LoadNumber(kLogPositionName)),
        saved_log_position_(log_position_),
        log_position_saved_(clock.Now()) {}

  void Start(const std::string& address, const std::string& admin_address) {
    address_ = address;
    admin_address_ = admin_address;
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }

  void Stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

  void NotifyChange() { waker_.Wake(); }

  bool has_master() const {
    const int64_t contact = last_contact_ms_;
    return contact != kNever && NowMs() - contact <= options_.contact_timeout.count();
  }

  uint64_t log_position() const { return log_position_; }

 private:
  static constexpr int64_t kNever = INT64_MIN;

  int64_t NowMs() const {
    return std::chrono::duration_cast<milliseconds>(clock_.Now().time_since_epoch()).count();
  }

  void Run(const std::stop_token& stop) {
    rpc::Backoff backoff({.initial = milliseconds(50), .max = options_.heartbeat_period},
                         std::hash<std::string>()(data_dir_.node_id()));
    while (!stop.stop_requested()) {
      rpc::AwaitReconnect(*channel_, kReconnectTimeout);
      const Status status = Exchange();
      NoteContact(status);
      if (status.ok()) {
        backoff.Reset();
        const bool has_more = store_.HasPendingChanges() || needs_report_;
        waker_.Wait(stop, has_more ? options_.change_delay : options_.heartbeat_period);
        // Lets changes that come together go together.
        if (!stop.stop_requested()) pause_.Wait(stop, options_.change_delay);
      } else {
        pause_.Wait(stop, backoff.Next());
      }
    }
    SaveLogPosition();
  }

  // One round: whatever is due before a heartbeat, and a heartbeat.
  Status Exchange() {
    if (!is_registered_) {
      RETURN_IF_ERROR(Register().WithContext("register"));
      is_registered_ = true;
      needs_report_ = true;
    }
    if (needs_report_ || store_.NeedsFullReport()) {
      RETURN_IF_ERROR(ForgottenOr(SendFullReport()).WithContext("report"));
      needs_report_ = false;
    }
    return ForgottenOr(Heartbeat()).WithContext("heartbeat");
  }

  // A master that was started anew, or had given this node up, does not know its session.
  Status ForgottenOr(Status status) {
    if (status.code() == Code::kNotFound) is_registered_ = false;
    return status;
  }

  void NoteContact(const Status& status) {
    // An answer of any kind is contact, but for those that gRPC gives in the master's stead.
    const bool is_answer = status.code() != Code::kUnavailable &&
                           status.code() != Code::kDeadlineExceeded &&
                           status.code() != Code::kCancelled;
    if (is_answer) last_contact_ms_ = NowMs();
    if (status.ok() && !std::exchange(is_in_contact_, true)) {
      log_->info("master_found address={} log_position={}", options_.master, log_position_.load());
    } else if (!status.ok() && (std::exchange(is_in_contact_, false) || last_error_ != status)) {
      log_->warn("master_not_answering address={} error={}",
                 options_.master,
                 log::Quoted(status.ToString()));
    }
    last_error_ = status;
  }

  Status Register() {
    dfs::v1::RegisterRequest request;
    request.mutable_node()->set_node_id(data_dir_.node_id());
    request.mutable_node()->set_address(address_);
    request.set_failure_domain(options_.failure_domain);
    request.set_admin_address(admin_address_);
    request.set_version(options_.version);
    dfs::v1::RegisterResponse response;
    grpc::ClientContext context;
    rpc::SetTimeout(context, kCallTimeout);
    RETURN_IF_ERROR(rpc::FromGrpc(stub_->Register(&context, request, &response)));
    session_ = response.session();
    (void)SeeLogPosition(response.log_position());
    return {};
  }

  Status SendFullReport() {
    const ReplicaStore::Snapshot snapshot = store_.List();
    grpc::ClientContext context;
    rpc::SetTimeout(context, kReportTimeout);
    dfs::v1::ReportBlocksResponse response;
    auto writer = stub_->ReportBlocks(&context, &response);
    size_t next = 0;
    bool is_open = true;
    // At least one message: it is what says that there are no replicas.
    do {
      dfs::v1::ReportBlocksRequest request;
      request.set_node_id(data_dir_.node_id());
      request.set_session(session_);
      request.set_sequence(snapshot.sequence);
      const size_t end = std::min(snapshot.replicas.size(), next + kReplicasPerReport);
      for (; next < end; ++next) {
        *request.add_replicas()->mutable_block() = datanode::ToProto(snapshot.replicas[next]);
      }
      is_open = writer->Write(request);
    } while (is_open && next < snapshot.replicas.size());
    (void)writer->WritesDone();
    RETURN_IF_ERROR(rpc::FromGrpc(writer->Finish()));
    store_.AcknowledgeChanges(snapshot.sequence);
    (void)SeeLogPosition(response.log_position());
    log_->info(
        "full_report_sent replicas={} sequence={}", snapshot.replicas.size(), snapshot.sequence);
    return {};
  }

  Status Heartbeat() {
    dfs::v1::HeartbeatRequest request;
    request.set_node_id(data_dir_.node_id());
    request.set_session(session_);
    ASSIGN_OR_RETURN(const ReplicaStore::Usage usage, store_.GetUsage());
    request.set_capacity_bytes(usage.capacity_bytes);
    request.set_used_bytes(usage.used_bytes);
    request.set_free_bytes(usage.free_bytes);
    if (options_.active_writes) request.set_active_writes(options_.active_writes());
    for (const ReplicaChange& change : store_.PendingChanges(kChangesPerHeartbeat)) {
      *request.add_changes() = ToProto(change);
    }
    dfs::v1::HeartbeatResponse response;
    grpc::ClientContext context;
    rpc::SetTimeout(context, kCallTimeout);
    RETURN_IF_ERROR(rpc::FromGrpc(stub_->Heartbeat(&context, request, &response)));
    store_.AcknowledgeChanges(response.acknowledged_sequence());
    const bool is_current = SeeLogPosition(response.log_position());
    for (const dfs::v1::NodeCommand& command : response.commands())
      CarryOut(command, is_current);
    return {};
  }

  // Remembers the newest position; returns whether this one is not behind it.
  bool SeeLogPosition(uint64_t position) {
    if (position < log_position_) return false;
    log_position_ = position;
    if (clock_.Now() - log_position_saved_ >= kLogPositionSavePeriod) SaveLogPosition();
    return true;
  }

  void SaveLogPosition() {
    log_position_saved_ = clock_.Now();
    if (log_position_ == saved_log_position_) return;
    Status status = data_dir_.SaveNumber(kLogPositionName, log_position_);
    if (status.ok()) {
      saved_log_position_ = log_position_;
    } else {
      log_->warn("log_position_not_saved error={}", log::Quoted(status.ToString()));
    }
  }

  void CarryOut(const dfs::v1::NodeCommand& command, bool is_current) {
    switch (command.command_case()) {
      case dfs::v1::NodeCommand::kCopy:
        copier_.Enqueue(FromProto(command.copy().block()),
                        {.node_id = command.copy().target().node_id(),
                         .address = command.copy().target().address()});
        break;
      case dfs::v1::NodeCommand::kDelete:
        Delete(command.delete_().block_id(), is_current);
        break;
      case dfs::v1::NodeCommand::kVerify:
        scrubber_.Suspect(command.verify().block_id());
        break;
      case dfs::v1::NodeCommand::kSendFullReport:
        needs_report_ = true;
        break;
      case dfs::v1::NodeCommand::COMMAND_NOT_SET:
        // Of a newer master.
        break;
    }
  }

  void Delete(block::BlockId block_id, bool is_current) {
    if (!is_current) {
      log_->error("delete_refused id={} reason=\"the master's log is behind position {}\"",
                  block_id,
                  log_position_.load());
      return;
    }
    // Ordered twice, or gone before: the store tells the master so.
    if (store_.Delete(block_id).ok()) log_->info("replica_parked id={}", block_id);
  }

  const Options options_;
  DataDir& data_dir_;
  ReplicaStore& store_;
  Scrubber& scrubber_;
  ReplicaCopier& copier_;
  const Clock& clock_;
  const std::shared_ptr<grpc::Channel> channel_;  // shared with the stub
  const std::unique_ptr<dfs::v1::DfsNodeRegistry::Stub> stub_;
  const std::shared_ptr<spdlog::logger> log_ = log::Get("datanode.master_link");

  std::atomic<int64_t> last_contact_ms_{kNever};
  std::atomic<uint64_t> log_position_;

  // Of the thread.
  std::string address_;
  std::string admin_address_;
  uint64_t saved_log_position_;
  SteadyTime log_position_saved_;
  bool is_registered_ = false;
  bool needs_report_ = false;
  bool is_in_contact_ = false;
  Status last_error_;
  uint64_t session_ = 0;

  Waker waker_;  // woken by changes
  Waker pause_;  // by nobody but the stop
  std::jthread thread_;
};

MasterLink::MasterLink(Options options,
                       DataDir& data_dir,
                       ReplicaStore& store,
                       Scrubber& scrubber,
                       ReplicaCopier& copier,
                       const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), data_dir, store, scrubber, copier, clock)) {}

MasterLink::~MasterLink() {
  Stop();
}

void MasterLink::Start(const std::string& address, const std::string& admin_address) {
  impl_->Start(address, admin_address);
}
void MasterLink::Stop() {
  impl_->Stop();
}
void MasterLink::NotifyChange() {
  impl_->NotifyChange();
}
bool MasterLink::has_master() const {
  return impl_->has_master();
}
uint64_t MasterLink::log_position() const {
  return impl_->log_position();
}

}  // namespace slipstream::datanode
