#include "dfs-master/master_service.h"

#include <chrono>
#include <utility>

#include <google/protobuf/arena.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/message_allocator.h>

#include "proto/dfs_master.grpc.pb.h"

#include "common/failpoint/failpoint.h"
#include "common/log/log.h"
#include "common/rpc/call_trace.h"
#include "common/rpc/status_map.h"
#include "common/rpc/transport.h"
#include "dfs-master/durable_answers.h"
#include "dfs-master/log_wait.h"
#include "dfs-master/master_handlers.h"
#include "dfs-master/work_queue.h"

namespace slipstream::dfs::master {
namespace {

using BlockingContext = grpc::ServerContext;
using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;

// Hands calls to the handlers, as their callers', counts them, and translates their outcomes.
class CallRunner {
 public:
  CallRunner(Master& master,
             const MasterService::Options& options,
             CallerTable& callers,
             Metrics& metrics,
             const Clock& clock)
      : master_(master), options_(options), callers_(callers), metrics_(metrics), clock_(clock) {}

  template <class Request, class Response>
  grpc::Status Run(std::string_view method,
                   const grpc::ServerContextBase& context,
                   const Request* request,
                   Response* response) const {
    return Run(method, [&] { return HandlersFor(context).Answer(*request, *response); });
  }

  template <class Fn>
  grpc::Status Run(std::string_view method, Fn call) const {
    const SteadyTime begin = clock_.Now();
    return Finish(method, begin, call());
  }

  grpc::Status Finish(std::string_view method, SteadyTime begin, const Status& status) const {
    const std::chrono::duration<double> seconds = clock_.Now() - begin;
    metrics_.CountCall(method, status.code(), seconds.count());
    return rpc::ToGrpc(status);
  }

  MasterHandlers HandlersFor(const grpc::ServerContextBase& context) const {
    return MasterHandlers(master_, options_.version, CallerOf(context), options_.block_tokens);
  }
  SteadyTime now() const { return clock_.Now(); }

 private:
  std::shared_ptr<const Caller> CallerOf(const grpc::ServerContextBase& context) const {
    if (options_.authenticator != nullptr) {
      const std::optional<access::Identity> known = options_.authenticator->Find(context);
      if (known.has_value() && !known->MayActForOthers()) return callers_.Find(known->name);
    }
    const auto& metadata = context.client_metadata();
    const auto user = metadata.find(rpc::kUserMetadata);
    if (user == metadata.end()) return callers_.Find({});
    return callers_.Find({user->second.data(), user->second.size()});
  }

  Master& master_;
  const MasterService::Options& options_;
  CallerTable& callers_;
  Metrics& metrics_;
  const Clock& clock_;
};

Status HitAfterSync(std::string_view operation) {
  if (operation.empty() || !failpoint::AnyActive()) return {};
  return failpoint::Hit("master." + std::string(operation) + ".after_sync");
}

// A call's request and response in a few large pieces of memory, which go all at once: of a call
// with a thousand names the many small ones cost as much as the lookups.
template <class Request, class Response>
class ArenaMessages final : public grpc::MessageAllocator<Request, Response> {
 public:
  grpc::MessageHolder<Request, Response>* AllocateMessages() override { return new Holder(); }

 private:
  class Holder final : public grpc::MessageHolder<Request, Response> {
   public:
    Holder() : arena_(Options()) {
      this->set_request(google::protobuf::Arena::CreateMessage<Request>(&arena_));
      this->set_response(google::protobuf::Arena::CreateMessage<Response>(&arena_));
    }
    void Release() override { delete this; }

   private:
    static google::protobuf::ArenaOptions Options() {
      google::protobuf::ArenaOptions options;
      options.start_block_size = kFirstBytes;
      options.max_block_size = kNextBytesMax;
      return options;
    }
    static constexpr size_t kFirstBytes = size_t{4} << 10;
    static constexpr size_t kNextBytesMax = size_t{128} << 10;

    google::protobuf::Arena arena_;
  };
};

// Whether a call is so short that handing it to another thread would cost more than it does.
template <class Request>
bool IsShort(const Request&) {
  return false;
}
bool IsShort(const v1::StatRequest&) {
  return true;
}
bool IsShort(const v1::LocateBlocksRequest&) {
  return true;
}
bool IsShort(const v1::AllocateBlocksRequest&) {
  return true;
}
bool IsShort(const v1::AcquireAppenderRequest&) {
  return true;
}
bool IsShort(const v1::PrepareRequest& request) {
  constexpr int kFew = 4;
  if (request.appenders_size() != 1) return request.appenders_size() == 0;
  const v1::AppenderEpoch& epoch = request.appenders(0);
  return epoch.files_size() == 0 ||
         (epoch.files_size() == 1 && epoch.files(0).blocks_size() <= kFew);
}

// The calls of clients, which are many and short. gRPC's own threads take them in, and carry out
// the shortest while nothing else goes on; since they have the network to look after, a few threads
// of this class do the rest. Neither wait for the disk: an answer that is not durable yet is left
// to DurableAnswers. So no call holds a thread while it waits, however many come.
class ClientService final : public v1::DfsMaster::CallbackService {
 public:
  ClientService(Master& master, CallRunner runner)
      : master_(master),
        runner_(runner),
        answers_([&master](uint64_t position) { return master.AwaitLog(position); }) {
    SetMessageAllocatorFor_StatBatch(&stat_batch_messages_);
    SetMessageAllocatorFor_List(&list_messages_);
    SetMessageAllocatorFor_Prepare(&prepare_messages_);
  }

  Reactor* Stat(Context* context, const v1::StatRequest* in, v1::StatResponse* out) override {
    return Answer("Stat", context, in, out);
  }
  Reactor* CheckAccess(Context* context,
                       const v1::CheckAccessRequest* in,
                       v1::CheckAccessResponse* out) override {
    return Answer("CheckAccess", context, in, out);
  }
  Reactor* List(Context* context, const v1::ListRequest* in, v1::ListResponse* out) override {
    return Answer("List", context, in, out);
  }
  Reactor* MakeDirectory(Context* context,
                         const v1::MakeDirectoryRequest* in,
                         v1::MakeDirectoryResponse* out) override {
    return Answer("MakeDirectory", context, in, out);
  }
  Reactor* Delete(Context* context, const v1::DeleteRequest* in, v1::DeleteResponse* out) override {
    return Answer("Delete", context, in, out);
  }
  Reactor* Rename(Context* context, const v1::RenameRequest* in, v1::RenameResponse* out) override {
    return Answer("Rename", context, in, out);
  }
  Reactor* SetAttributes(Context* context,
                         const v1::SetAttributesRequest* in,
                         v1::SetAttributesResponse* out) override {
    return Answer("SetAttributes", context, in, out);
  }
  Reactor* SetReplication(Context* context,
                          const v1::SetReplicationRequest* in,
                          v1::SetReplicationResponse* out) override {
    return Answer("SetReplication", context, in, out);
  }
  Reactor* SetQuota(Context* context,
                    const v1::SetQuotaRequest* in,
                    v1::SetQuotaResponse* out) override {
    return Answer("SetQuota", context, in, out);
  }
  Reactor* Truncate(Context* context,
                    const v1::TruncateRequest* in,
                    v1::TruncateResponse* out) override {
    return Answer("Truncate", context, in, out);
  }
  Reactor* Concat(Context* context, const v1::ConcatRequest* in, v1::ConcatResponse* out) override {
    return Answer("Concat", context, in, out);
  }
  Reactor* StatBatch(Context* context,
                     const v1::StatBatchRequest* in,
                     v1::StatBatchResponse* out) override {
    return Answer("StatBatch", context, in, out);
  }
  Reactor* LocateBlocks(Context* context,
                        const v1::LocateBlocksRequest* in,
                        v1::LocateBlocksResponse* out) override {
    return Answer("LocateBlocks", context, in, out);
  }
  Reactor* ReportBadReplica(Context* context,
                            const v1::ReportBadReplicaRequest* in,
                            v1::ReportBadReplicaResponse* out) override {
    return Answer("ReportBadReplica", context, in, out);
  }
  Reactor* AllocateBlocks(Context* context,
                          const v1::AllocateBlocksRequest* in,
                          v1::AllocateBlocksResponse* out) override {
    return Answer("AllocateBlocks", context, in, out);
  }
  Reactor* AcquireAppender(Context* context,
                           const v1::AcquireAppenderRequest* in,
                           v1::AcquireAppenderResponse* out) override {
    return Answer("AcquireAppender", context, in, out);
  }
  Reactor* Prepare(Context* context,
                   const v1::PrepareRequest* in,
                   v1::PrepareResponse* out) override {
    return Answer("Prepare", context, in, out);
  }
  Reactor* Commit(Context* context, const v1::CommitRequest* in, v1::CommitResponse* out) override {
    return Answer("Commit", context, in, out);
  }
  Reactor* AbortAppender(Context* context,
                         const v1::AbortAppenderRequest* in,
                         v1::AbortAppenderResponse* out) override {
    return Answer("AbortAppender", context, in, out);
  }
  Reactor* ListAppenders(Context* context,
                         const v1::ListAppendersRequest* in,
                         v1::ListAppendersResponse* out) override {
    return Answer("ListAppenders", context, in, out);
  }
  Reactor* RenewLease(Context* context,
                      const v1::RenewLeaseRequest* in,
                      v1::RenewLeaseResponse* out) override {
    return Answer("RenewLease", context, in, out);
  }
  Reactor* GetDefaults(Context* context,
                       const v1::GetDefaultsRequest* in,
                       v1::GetDefaultsResponse* out) override {
    return Answer("GetDefaults", context, in, out);
  }
  Reactor* GetClusterState(Context* context,
                           const v1::GetClusterStateRequest* in,
                           v1::GetClusterStateResponse* out) override {
    return Answer("GetClusterState", context, in, out);
  }

 private:
  template <class Request, class Response>
  Reactor* Answer(std::string_view method,
                  Context* context,
                  const Request* request,
                  Response* response) {
    Reactor* reactor = context->DefaultReactor();
    const SteadyTime begin = runner_.now();
    // A failpoint may stop a call for long, and must not stop the network with it.
    if (IsShort(*request) && work_.is_idle() && !failpoint::AnyActive()) {
      CarryOut(method, *context, reactor, begin, request, response);
      return reactor;
    }
    bool is_taken = work_.TryAdd([this, method, context, reactor, begin, request, response] {
      CarryOut(method, *context, reactor, begin, request, response);
    });
    if (!is_taken) {
      reactor->Finish(runner_.Finish(method, begin, ResourceExhausted("too many calls at once")));
    }
    return reactor;
  }

  template <class Request, class Response>
  void CarryOut(std::string_view method,
                const Context& context,
                Reactor* reactor,
                SteadyTime begin,
                const Request* request,
                Response* response) {
    const trace::Scope scope(rpc::TraceOf(context));
    LogWait wait;
    Status status = runner_.HandlersFor(context).Answer(*request, *response);
    log_->debug("call_carried_out method={} result={}", method, CodeName(status.code()));
    const std::string_view operation = wait.operation();
    auto finish = [this, method, reactor, begin, operation, status](const Status& durable) {
      Status answer = durable.ok() ? HitAfterSync(operation) : durable;
      reactor->Finish(runner_.Finish(method, begin, answer.ok() ? status : answer));
    };
    if (wait.position() <= master_.durable_position()) {
      finish(Status());
    } else {
      answers_.Add(wait.position(), std::move(finish));
    }
  }

  ArenaMessages<v1::StatBatchRequest, v1::StatBatchResponse> stat_batch_messages_;
  ArenaMessages<v1::ListRequest, v1::ListResponse> list_messages_;
  ArenaMessages<v1::PrepareRequest, v1::PrepareResponse> prepare_messages_;
  Master& master_;
  const CallRunner runner_;
  DurableAnswers answers_;
  const std::shared_ptr<spdlog::logger> log_ = log::Get("dfs_master.service");
  WorkQueue work_{{}};  // ends before the answers, which it adds to
};

class AdminService final : public v1::DfsAdmin::Service {
 public:
  explicit AdminService(CallRunner runner) : runner_(runner) {}

  grpc::Status SetSafeMode(BlockingContext* context,
                           const v1::SetSafeModeRequest* in,
                           v1::SetSafeModeResponse* out) override {
    return runner_.Run("SetSafeMode", *context, in, out);
  }
  grpc::Status SetNodeService(BlockingContext* context,
                              const v1::SetNodeServiceRequest* in,
                              v1::SetNodeServiceResponse* out) override {
    return runner_.Run("SetNodeService", *context, in, out);
  }
  grpc::Status Balance(BlockingContext* context,
                       const v1::BalanceRequest* in,
                       v1::BalanceResponse* out) override {
    return runner_.Run("Balance", *context, in, out);
  }
  grpc::Status CheckFiles(BlockingContext* context,
                          const v1::CheckFilesRequest* in,
                          v1::CheckFilesResponse* out) override {
    return runner_.Run("CheckFiles", *context, in, out);
  }
  grpc::Status Backup(BlockingContext* context,
                      const v1::BackupRequest* in,
                      v1::BackupResponse* out) override {
    return runner_.Run("Backup", *context, in, out);
  }
  grpc::Status Restore(BlockingContext* context,
                       const v1::RestoreRequest* in,
                       v1::RestoreResponse* out) override {
    return runner_.Run("Restore", *context, in, out);
  }

 private:
  const CallRunner runner_;
};

class RegistryService final : public v1::DfsNodeRegistry::Service {
 public:
  explicit RegistryService(CallRunner runner) : runner_(runner) {}

  grpc::Status Register(BlockingContext* context,
                        const v1::RegisterRequest* in,
                        v1::RegisterResponse* out) override {
    return runner_.Run("Register", *context, in, out);
  }
  grpc::Status Heartbeat(BlockingContext* context,
                         const v1::HeartbeatRequest* in,
                         v1::HeartbeatResponse* out) override {
    return runner_.Run("Heartbeat", *context, in, out);
  }
  grpc::Status FinishMerge(BlockingContext* context,
                           const v1::FinishMergeRequest* in,
                           v1::FinishMergeResponse* out) override {
    return runner_.Run("FinishMerge", *context, in, out);
  }
  grpc::Status ReportBlocks(BlockingContext* context,
                            grpc::ServerReader<v1::ReportBlocksRequest>* reader,
                            v1::ReportBlocksResponse* out) override {
    return runner_.Run("ReportBlocks", [&]() -> Status {
      MasterHandlers::BlockReport report = runner_.HandlersFor(*context).BeginBlockReport();
      v1::ReportBlocksRequest chunk;
      while (reader->Read(&chunk))
        RETURN_IF_ERROR(report.Add(chunk));
      return report.Finish(*out);
    });
  }

 private:
  const CallRunner runner_;
};

}  // namespace

struct MasterService::Impl {
  Impl(Master& master, Metrics& metrics, const Clock& clock, Options given)
      : options(std::move(given)),
        callers(options.callers, clock),
        runner(master, options, callers, metrics, clock),
        clients(master, runner) {}

  const Options options;
  CallerTable callers;
  CallRunner runner;
  ClientService clients;
  AdminService admin{runner};
  RegistryService registry{runner};
};

MasterService::MasterService(Master& master, Metrics& metrics, const Clock& clock, Options options)
    : impl_(std::make_unique<Impl>(master, metrics, clock, std::move(options))) {}

MasterService::~MasterService() = default;

std::vector<grpc::Service*> MasterService::services() {
  return {&impl_->clients, &impl_->admin, &impl_->registry};
}

}  // namespace slipstream::dfs::master
