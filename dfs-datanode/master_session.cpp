#include "dfs-datanode/master_session.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "proto/dfs_master.pb.h"

#include "common/log/log.h"
#include "dfs-datanode/proto_map.h"

namespace slipstream::datanode {
namespace {

using std::chrono::milliseconds;

constexpr char kLogName[] = "datanode.master_session";
constexpr char kLogPositionName[] = "master_log_position";
constexpr milliseconds kLogPositionSavePeriod{10'000};
constexpr milliseconds kReconnectTimeout{500};
constexpr milliseconds kCallTimeout{5'000};
// Of a full report: a short one whose answer is lost must not keep the node silent for so long that
// the master gives it up; a long one has its time.
constexpr milliseconds kReportTimeoutMin{10'000};
constexpr milliseconds kReportTimeoutMax{60'000};
constexpr milliseconds kReportTimePerMessage{1'000};
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

std::vector<NodeAddress> FromProto(
    const google::protobuf::RepeatedPtrField<dfs::v1::NodeAddress>& messages) {
  std::vector<NodeAddress> nodes;
  for (const dfs::v1::NodeAddress& node : messages)
    nodes.push_back({.node_id = node.node_id(), .address = node.address()});
  return nodes;
}

std::vector<block::TokenKey> FromProto(
    const google::protobuf::RepeatedPtrField<dfs::v1::BlockTokenKey>& messages) {
  std::vector<block::TokenKey> keys;
  for (const dfs::v1::BlockTokenKey& key : messages)
    keys.push_back({.id = key.id(), .secret = key.secret()});
  return keys;
}

MergeOrder FromProto(const dfs::v1::NodeCommand::MergeBlocks& message) {
  MergeOrder order{.block_id = message.block_id(), .next = FromProto(message.next())};
  for (const dfs::v1::LocatedBlock& source : message.sources()) {
    order.sources.push_back({.identity = datanode::FromProto(source.block()),
                             .length_bytes = source.length_bytes(),
                             .holders = FromProto(source.nodes())});
  }
  return order;
}

}  // namespace

MasterSession::MasterSession(Options options,
                             rpc::Transport& transport,
                             DiskSet& disks,
                             ReplicaStore& store,
                             Scrubber& scrubber,
                             ReplicaCopier& copier,
                             BlockMerger& merger,
                             BlockTokenChecker& tokens,
                             const Clock& clock)
    : options_(std::move(options)),
      disks_(disks),
      store_(store),
      scrubber_(scrubber),
      copier_(copier),
      merger_(merger),
      tokens_(tokens),
      clock_(clock),
      master_(transport.Connect(options_.master)),
      log_position_(disks.LoadNumber(kLogPositionName)),
      backoff_({.initial = milliseconds(50), .max = options_.heartbeat_period},
               std::hash<std::string>()(disks.node_id())),
      random_(std::hash<std::string>()(disks.node_id())),
      saved_log_position_(log_position_),
      log_position_saved_(clock.Now()) {}

MasterSession::~MasterSession() = default;

void MasterSession::SetAddresses(const std::string& address, const std::string& admin_address) {
  address_ = address;
  admin_address_ = admin_address;
}

int64_t MasterSession::NowMs() const {
  return std::chrono::duration_cast<milliseconds>(clock_.Now().time_since_epoch()).count();
}

bool MasterSession::has_master() const {
  const int64_t contact = last_contact_ms_;
  return contact != kNever && NowMs() - contact <= options_.contact_timeout.count();
}

milliseconds MasterSession::Step(const std::stop_token& stop) {
  // Changes do not make it ask more often while nobody answers.
  const SteadyTime began = clock_.Now();
  if (began < retry_at_) return std::chrono::ceil<milliseconds>(retry_at_ - began);
  master_->AwaitReconnect(kReconnectTimeout);
  const Status status = Exchange(stop);
  NoteContact(status);
  if (!status.ok()) {
    const milliseconds wait = backoff_.Next();
    retry_at_ = clock_.Now() + wait;
    return wait;
  }
  backoff_.Reset();
  const bool has_more = store_.HasPendingChanges() || needs_report_;
  return has_more ? options_.change_delay : options_.heartbeat_period;
}

// One round: whatever is due before a heartbeat, and a heartbeat.
Status MasterSession::Exchange(const std::stop_token& stop) {
  if (!is_registered_) {
    RETURN_IF_ERROR(Register(stop).WithContext("register"));
    is_registered_ = true;
    needs_report_ = true;
  }
  if (needs_report_ || store_.NeedsFullReport() || clock_.Now() >= report_at_) {
    RETURN_IF_ERROR(ForgottenOr(SendFullReport(stop)).WithContext("report"));
    needs_report_ = false;
    // Nodes that came up together do not report together for ever.
    const int64_t interval_ms = options_.report_interval.count();
    std::uniform_int_distribution<int64_t> spread(interval_ms / 2, interval_ms);
    report_at_ = clock_.Now() + milliseconds(spread(random_));
  }
  return ForgottenOr(Heartbeat(stop)).WithContext("heartbeat");
}

// A master that was started anew, or had given this node up, does not know its session.
Status MasterSession::ForgottenOr(Status status) {
  if (status.code() == Code::kNotFound) is_registered_ = false;
  return status;
}

void MasterSession::NoteContact(const Status& status) {
  // An answer of any kind is contact, but for those that gRPC gives in the master's stead.
  const bool is_answer = status.code() != Code::kUnavailable &&
                         status.code() != Code::kDeadlineExceeded &&
                         status.code() != Code::kCancelled;
  if (is_answer) last_contact_ms_ = NowMs();
  if (status.ok() && !std::exchange(is_in_contact_, true)) {
    log::Get(kLogName)->info(
        "master_found address={} log_position={}", options_.master, log_position_.load());
  } else if (!status.ok() && (std::exchange(is_in_contact_, false) || last_error_ != status)) {
    log::Get(kLogName)->warn("master_not_answering address={} error={}",
                             options_.master,
                             log::Quoted(status.ToString()));
  }
  last_error_ = status;
}

Status MasterSession::Register(const std::stop_token& stop) {
  dfs::v1::RegisterRequest request;
  request.mutable_node()->set_node_id(disks_.node_id());
  request.mutable_node()->set_address(address_);
  request.set_failure_domain(options_.failure_domain);
  request.set_admin_address(admin_address_);
  request.set_version(options_.version);
  request.set_newest_log_position(log_position_);
  request.set_highest_block_id(store_.highest_block_id());
  request.set_rack(options_.rack);
  request.set_host(options_.host);
  dfs::v1::RegisterResponse response;
  RETURN_IF_ERROR(master_->Call("/slipstream.dfs.v1.DfsNodeRegistry/Register",
                                request,
                                response,
                                {.timeout = kCallTimeout, .stop = stop}));
  session_ = response.session();
  tokens_.Take(FromProto(response.token_keys()));
  (void)SeeLogPosition(response.log_position());
  return {};
}

Status MasterSession::SendFullReport(const std::stop_token& stop) {
  const ReplicaStore::Snapshot snapshot = store_.List();
  dfs::v1::ReportBlocksResponse response;
  const milliseconds time =
      kReportTimeoutMin + kReportTimePerMessage * (snapshot.replicas.size() / kReplicasPerReport);
  const std::unique_ptr<rpc::RequestStream> stream =
      master_->OpenRequestStream("/slipstream.dfs.v1.DfsNodeRegistry/ReportBlocks",
                                 response,
                                 {.timeout = std::min(time, kReportTimeoutMax), .stop = stop});
  size_t next = 0;
  bool is_open = true;
  // At least one message: it is what says that there are no replicas.
  do {
    dfs::v1::ReportBlocksRequest request;
    request.set_node_id(disks_.node_id());
    request.set_session(session_);
    request.set_sequence(snapshot.sequence);
    const size_t end = std::min(snapshot.replicas.size(), next + kReplicasPerReport);
    for (; next < end; ++next) {
      *request.add_replicas()->mutable_block() = datanode::ToProto(snapshot.replicas[next]);
    }
    is_open = stream->Send(request);
  } while (is_open && next < snapshot.replicas.size());
  RETURN_IF_ERROR(stream->Finish());
  store_.AcknowledgeChanges(snapshot.sequence);
  (void)SeeLogPosition(response.log_position());
  log::Get(kLogName)->info(
      "full_report_sent replicas={} sequence={}", snapshot.replicas.size(), snapshot.sequence);
  return {};
}

Status MasterSession::Heartbeat(const std::stop_token& stop) {
  dfs::v1::HeartbeatRequest request;
  request.set_node_id(disks_.node_id());
  request.set_session(session_);
  ASSIGN_OR_RETURN(const ReplicaStore::Usage usage, store_.GetUsage());
  request.set_capacity_bytes(usage.capacity_bytes);
  request.set_used_bytes(usage.used_bytes);
  request.set_free_bytes(usage.free_bytes);
  for (const ReplicaStore::DiskUsage& disk : usage.disks) {
    dfs::v1::DiskReport& report = *request.add_disks();
    report.set_path(disk.path);
    report.set_capacity_bytes(disk.capacity_bytes);
    report.set_used_bytes(disk.used_bytes);
    report.set_free_bytes(disk.free_bytes);
    report.set_failure(disk.failure);
  }
  if (options_.active_writes) request.set_active_writes(options_.active_writes());
  for (const ReplicaChange& change : store_.PendingChanges(kChangesPerHeartbeat)) {
    *request.add_changes() = ToProto(change);
  }
  request.set_newest_token_key_id(tokens_.newest_key_id());
  dfs::v1::HeartbeatResponse response;
  RETURN_IF_ERROR(master_->Call("/slipstream.dfs.v1.DfsNodeRegistry/Heartbeat",
                                request,
                                response,
                                {.timeout = kCallTimeout, .stop = stop}));
  store_.AcknowledgeChanges(response.acknowledged_sequence());
  tokens_.Take(FromProto(response.token_keys()));
  const bool is_current = SeeLogPosition(response.log_position());
  for (const dfs::v1::NodeCommand& command : response.commands())
    CarryOut(command, is_current);
  return {};
}

Result<bool> MasterSession::FinishMerge(const MergeOutcome& outcome) {
  dfs::v1::FinishMergeRequest request;
  request.set_node_id(disks_.node_id());
  request.set_session(session_);
  *request.mutable_block() = datanode::ToProto(outcome.block);
  for (const std::string& holder : outcome.holder_node_ids)
    request.add_holder_node_ids(holder);
  for (block::BlockId source : outcome.source_block_ids)
    request.add_source_block_ids(source);
  request.set_failure(outcome.failure);
  dfs::v1::FinishMergeResponse response;
  RETURN_IF_ERROR(master_->Call("/slipstream.dfs.v1.DfsNodeRegistry/FinishMerge",
                                request,
                                response,
                                {.timeout = kCallTimeout, .stop = {}}));
  return response.is_taken();
}

// Remembers the newest position; returns whether this one is not behind it.
bool MasterSession::SeeLogPosition(uint64_t position) {
  if (position < log_position_) return false;
  log_position_ = position;
  if (clock_.Now() - log_position_saved_ >= kLogPositionSavePeriod) SaveLogPosition();
  return true;
}

void MasterSession::SaveLogPosition() {
  log_position_saved_ = clock_.Now();
  if (log_position_ == saved_log_position_) return;
  Status status = disks_.SaveNumber(kLogPositionName, log_position_);
  if (status.ok()) {
    saved_log_position_ = log_position_;
  } else {
    log::Get(kLogName)->warn("log_position_not_saved error={}", log::Quoted(status.ToString()));
  }
}

void MasterSession::CarryOut(const dfs::v1::NodeCommand& command, bool is_current) {
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
    case dfs::v1::NodeCommand::kMerge:
      merger_.Enqueue(FromProto(command.merge()));
      break;
    case dfs::v1::NodeCommand::COMMAND_NOT_SET:
      // Of a newer master.
      break;
  }
}

void MasterSession::Delete(block::BlockId block_id, bool is_current) {
  if (!is_current) {
    log::Get(kLogName)->error(
        "delete_refused id={} reason=\"the master's log "
        "is behind position {}\"",
        block_id,
        log_position_.load());
    return;
  }
  // Ordered twice, or gone before: the store tells the master so.
  if (store_.Delete(block_id).ok()) log::Get(kLogName)->info("replica_parked id={}", block_id);
}

}  // namespace slipstream::datanode
