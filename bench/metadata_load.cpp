#include "bench/metadata_load.h"

#include <iostream>
#include <random>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "proto/dfs_master.grpc.pb.h"

#include "common/access/process_user.h"
#include "common/rpc/channel.h"
#include "common/rpc/server.h"
#include "common/rpc/status_map.h"
#include "common/rpc/transport.h"

namespace slipstream::bench {
namespace {

namespace v1 = dfs::v1;

constexpr std::chrono::seconds kCallTimeout{60};
constexpr size_t kTops = 100;
constexpr size_t kFolders = 10;   // in each
constexpr size_t kFiles = 1'000;  // in each
constexpr size_t kFilesPerCall = 10'000;

std::string FolderPath(size_t folder) {
  return "/d" + std::to_string(folder / kFolders) + "/s" + std::to_string(folder % kFolders);
}

std::string FilePath(size_t file) {
  return FolderPath(file / kFiles) + "/f" + std::to_string(file % kFiles);
}

class EmptyService final : public v1::DfsMaster::WithCallbackMethod_Delete<v1::DfsMaster::Service> {
 public:
  grpc::ServerUnaryReactor* Delete(grpc::CallbackServerContext* context,
                                   const v1::DeleteRequest*,
                                   v1::DeleteResponse*) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

}  // namespace

struct MetadataLoad::Impl {
  using Stub = v1::DfsMaster::Stub;

  // One caller's appender: its epochs go on from call to call.
  struct Writer {
    std::string owner;
    uint64_t incarnation = 0;
    uint64_t epoch = 0;
  };

  explicit Impl(const Options& given) : options(given) {
    for (const auto& channel : Connect(options.master, options.channels))
      stubs.push_back(v1::DfsMaster::NewStub(channel));
    for (size_t i = 0; i < options.callers; ++i)
      randoms.emplace_back(run_id + i);
  }

  template <class Request, class Response>
  Status Call(size_t caller,
              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
              const Request& request,
              Response& response) {
    grpc::ClientContext context;
    rpc::SetTimeout(context, kCallTimeout);
    context.AddMetadata(rpc::kUserMetadata, user);
    return rpc::FromGrpc(
        (stubs[caller % stubs.size()].get()->*method)(&context, request, &response));
  }

  Result<Writer> Acquire(size_t caller) {
    v1::AcquireAppenderRequest request;
    request.set_owner("bench/" + std::to_string(run_id) + "/" + std::to_string(caller));
    v1::AcquireAppenderResponse response;
    RETURN_IF_ERROR(Call(caller, &Stub::AcquireAppender, request, response));
    return Writer{.owner = request.owner(),
                  .incarnation = response.incarnation(),
                  .epoch = response.committed().epoch()};
  }

  // Creates empty files, durably, in one call.
  Status Create(size_t caller, Writer& writer, const std::vector<std::string>& paths) {
    v1::PrepareRequest request;
    v1::AppenderEpoch& epoch = *request.add_appenders();
    epoch.set_owner(writer.owner);
    epoch.set_incarnation(writer.incarnation);
    epoch.set_epoch(++writer.epoch);
    for (const std::string& path : paths) {
      v1::FileAppend& file = *epoch.add_files();
      file.set_new_path(path);
      file.set_close(true);
    }
    request.set_commit(true);
    v1::PrepareResponse response;
    return Call(caller, &Stub::Prepare, request, response);
  }

  LoadResult Run(const std::function<Status(size_t, uint64_t)>& call) {
    return RunCallers(options.callers, options.duration, call);
  }

  LoadResult RunCreates(size_t files_per_call) {
    ++create_runs;
    std::vector<Writer> writers;
    for (size_t caller = 0; caller < options.callers; ++caller) {
      Result<Writer> writer = Acquire(caller);
      if (!writer.ok()) return {.seconds = 1, .first_error = writer.status().ToString()};
      writers.push_back(std::move(*writer));
    }
    return Run([&](size_t caller, uint64_t n) {
      const std::string folder = "/new" + std::to_string(run_id) + "/run" +
                                 std::to_string(create_runs) + "/c" + std::to_string(caller) + "-";
      std::vector<std::string> paths;
      for (uint64_t i = n * files_per_call; i < (n + 1) * files_per_call; ++i)
        paths.push_back(folder + std::to_string(i / kFiles) + "/f" + std::to_string(i));
      return Create(caller, writers[caller], paths);
    });
  }

  const Options options;
  const uint64_t run_id = std::random_device()();
  const std::string user = access::ActingUser();
  std::vector<std::unique_ptr<Stub>> stubs;
  std::vector<std::mt19937_64> randoms;  // one a caller
  size_t create_runs = 0;
};

MetadataLoad::MetadataLoad(const Options& options) : impl_(std::make_unique<Impl>(options)) {}
MetadataLoad::~MetadataLoad() = default;

Result<double> MetadataLoad::MakeNames() {
  const auto begin = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(Impl::Writer writer, impl_->Acquire(0));
  constexpr size_t kNames = kTops * kFolders * kFiles;
  for (size_t first = 0; first < kNames; first += kFilesPerCall) {
    std::vector<std::string> paths;
    for (size_t file = first; file < first + kFilesPerCall; ++file)
      paths.push_back(FilePath(file));
    RETURN_IF_ERROR(impl_->Create(0, writer, paths));
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  return static_cast<double>(kNames) / taken.count();
}

LoadResult MetadataLoad::Empty() {
  return impl_->Run([&](size_t caller, uint64_t) {
    v1::DeleteResponse response;
    return impl_->Call(caller, &Impl::Stub::Delete, v1::DeleteRequest(), response);
  });
}

LoadResult MetadataLoad::Stat() {
  return impl_->Run([&](size_t caller, uint64_t) {
    v1::StatRequest request;
    request.set_path(FilePath(impl_->randoms[caller]() % (kTops * kFolders * kFiles)));
    v1::StatResponse response;
    return impl_->Call(caller, &Impl::Stub::Stat, request, response);
  });
}

LoadResult MetadataLoad::Create() {
  return impl_->RunCreates(1);
}

LoadResult MetadataLoad::CreateBatch() {
  return impl_->RunCreates(kBatch);
}

LoadResult MetadataLoad::StatBatch() {
  return impl_->Run([&](size_t caller, uint64_t) {
    v1::StatBatchRequest request;
    for (size_t i = 0; i < kBatch; ++i)
      request.add_paths(FilePath(impl_->randoms[caller]() % (kTops * kFolders * kFiles)));
    v1::StatBatchResponse response;
    RETURN_IF_ERROR(impl_->Call(caller, &Impl::Stub::StatBatch, request, response));
    for (const auto& entry : response.entries()) {
      if (entry.error_code() != 0) return NotFound("a name of the batch");
    }
    return Status();
  });
}

LoadResult MetadataLoad::List() {
  return impl_->Run([&](size_t caller, uint64_t) {
    v1::ListRequest request;
    request.set_path(FolderPath(impl_->randoms[caller]() % (kTops * kFolders)));
    request.set_limit(kBatch);
    v1::ListResponse response;
    RETURN_IF_ERROR(impl_->Call(caller, &Impl::Stub::List, request, response));
    if (response.entries_size() != static_cast<int>(kBatch)) return DataLoss("a short listing");
    return Status();
  });
}

Status ServeEmptyCalls() {
  EmptyService service;
  ASSIGN_OR_RETURN(std::unique_ptr<rpc::Server> server,
                   rpc::Server::Start({.listen = "127.0.0.1:0"}, {&service}));
  std::cout << server->address() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
  }
  return {};
}

}  // namespace slipstream::bench
