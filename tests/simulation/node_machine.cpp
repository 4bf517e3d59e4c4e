#include "tests/simulation/node_machine.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <prometheus/registry.h>

#include "proto/dfs_datanode.pb.h"

namespace slipstream::simulation {

using datanode::Node;
using dfs::v1::ReadBlockRequest;
using dfs::v1::ReadBlockResponse;
using dfs::v1::WriteBlocksRequest;
using dfs::v1::WriteBlocksResponse;

namespace {
// A process that cannot take its disk tries again, as systemd has it do.
constexpr Micros kRestartPause{2'000'000};
}  // namespace

// One life of the process.
class NodeMachine::Life final : public Service {
 public:
  Life(NodeMachine& machine, Scheduler& scheduler)
      : machine_(machine),
        process_(
            scheduler, fmt::format("{}/{}", machine.host(), machine.lives_), machine.wall_offset_),
        transport_(machine.network_.TransportOf(process_, machine.host())),
        metrics_(registry_),
        session_wake_(scheduler),
        scrubber_wake_(scheduler),
        copier_wake_(scheduler),
        merger_wake_(scheduler),
        reclaimer_wake_(scheduler) {}

  Process& process() { return process_; }
  Node* node() { return process_.is_alive() ? node_.get() : nullptr; }

  // In a fiber.
  void Run() {
    Status opened = Open();
    while (!opened.ok() && process_.is_alive()) {
      // Of disks that fail no more is asked.
      const bool is_excused = opened.code() == Code::kUnavailable ||
                              opened.code() == Code::kResourceExhausted || machine_.HasFailedDisk();
      if (!is_excused) {
        machine_.failure_ = opened.WithContext(machine_.host() + " does not open its disk");
        return;
      }
      (void)process_.scheduler().Sleep(kRestartPause);
      opened = Open();
    }
    if (!process_.is_alive()) return;
    machine_.network_.Listen(machine_.address(), process_, *this);
    machine_.changed_at_ = process_.scheduler().now();
    Loop(session_wake_, [this] { return node_->session().Step(process_.stop_token()); });
    Loop(scrubber_wake_, [this] { return node_->scrubber().Step(); });
    Loop(copier_wake_, [this] { return node_->copier().Step(process_.stop_token()); });
    Loop(merger_wake_, [this] { return node_->merger().Step(process_.stop_token()); });
    Loop(reclaimer_wake_, [this] {
      const auto wait = node_->reclaimer().Step(process_.stop_token());
      if (process_.is_alive() && !node_->health().ok()) {
        machine_.scheduler_.Note(machine_.host() + " gives up: " + node_->health().ToString());
        machine_.Crash(Fall::kProcessKilled, kRestartPause);
      }
      return wait;
    });
  }

  Result<std::string> Handle(ServerCall& call) override {
    if (call.method().ends_with("/WriteBlocks")) return Write(call);
    std::string bytes;
    if (!call.Receive(bytes)) return Cancelled("no request");
    if (call.method().ends_with("/ReadBlock")) {
      ReadBlockRequest request;
      if (!request.ParseFromString(bytes)) return Internal("a damaged request");
      RETURN_IF_ERROR(node_->server().Read(request, [&](const ReadBlockResponse& frame, bool) {
        return call.Send(frame.SerializeAsString());
      }));
      return std::string();
    }
    if (call.method().ends_with("/ReadRange")) {
      ReadBlockRequest request;
      if (!request.ParseFromString(bytes)) return Internal("a damaged request");
      dfs::v1::ReadRangeResponse response;
      RETURN_IF_ERROR(node_->server().ReadRange(request, response));
      return response.SerializeAsString();
    }
    if (call.method().ends_with("/ChecksumBlock")) {
      dfs::v1::ChecksumBlockRequest request;
      if (!request.ParseFromString(bytes)) return Internal("a damaged request");
      RETURN_IF_ERROR(node_->server().Checksum(request, [&](const auto& checksums) {
        return call.Send(checksums.SerializeAsString());
      }));
      return std::string();
    }
    return Unimplemented(std::string(call.method()));
  }

 private:
  Status Open() {
    Node::Options options = machine_.options_.node;
    for (auto& disk : machine_.disks_) {
      options.disks.push_back(
          {.path = fmt::format("/data{}", options.disks.size()), .fs = &disk->file_system()});
    }
    options.seed = machine_.random_.Next() | 1;
    options.wants_tokens = true;
    ASSIGN_OR_RETURN(node_, Node::Open(options, *transport_, process_, metrics_));
    node_->session().SetAddresses(machine_.address(), machine_.host() + ":7411");
    node_->SetWakers({.session = [this] { session_wake_.Notify(); },
                      .scrubber = [this] { scrubber_wake_.Notify(); },
                      .copier = [this] { copier_wake_.Notify(); },
                      .merger = [this] { merger_wake_.Notify(); }});
    return {};
  }

  // What a thread of the daemon does.
  template <class Step>
  void Loop(Signal& wake, Step step) {
    process_.scheduler().Spawn(&process_, [this, &wake, step] {
      while (process_.is_alive()) {
        const std::chrono::milliseconds wait = step();
        if (!process_.is_alive()) return;
        // Even work without end lets others in.
        const Micros pause = std::max<Micros>(wait, Micros(100));
        (void)wake.Wait(process_.scheduler().now() + pause);
      }
    });
  }

  Result<std::string> Write(ServerCall& call) {
    const bool is_early = machine_.options_.mutation == Mutation::kAckBeforeNext;
    auto receiver = node_->server().NewReceiver("a simulated writer", call.deadline());
    std::vector<std::string> messages;  // for the next node, where the answer comes before it
    WriteBlocksRequest first;
    std::string bytes;
    while (call.Receive(bytes)) {
      WriteBlocksRequest request;
      if (!request.ParseFromString(bytes)) return Internal("a damaged request");
      if (is_early && request.has_header()) {
        first = request;
        request.mutable_header()->clear_next();
      } else if (is_early) {
        messages.push_back(bytes);
      }
      RETURN_IF_ERROR(receiver->Receive(request));
    }
    if (call.stop().stop_requested()) return Cancelled("the writer is gone");
    WriteBlocksResponse response;
    RETURN_IF_ERROR(receiver->Finish(response));
    if (first.header().next_size() > 0) {
      for (const auto& next : first.header().next())
        response.add_holder_node_ids(next.node_id());
      PassOnLater(first, std::move(messages));
    }
    return response.SerializeAsString();
  }

  void PassOnLater(WriteBlocksRequest header, std::vector<std::string> messages) {
    process_.scheduler().Spawn(
        &process_, [this, header = std::move(header), messages = std::move(messages)]() mutable {
          const std::string target = header.header().next(0).address();
          header.mutable_header()->mutable_next()->DeleteSubrange(0, 1);
          WriteBlocksResponse response;
          auto stream = transport_->Connect(target)->OpenRequestStream(
              "/slipstream.dfs.v1.DfsDatanode/WriteBlocks",
              response,
              {.timeout = std::chrono::milliseconds(10'000), .stop = process_.stop_token()});
          stream->Send(header);
          for (const std::string& bytes : messages) {
            WriteBlocksRequest request;
            if (request.ParseFromString(bytes)) stream->Send(request);
          }
          (void)stream->Finish();
        });
  }

  NodeMachine& machine_;
  Process process_;
  const std::shared_ptr<rpc::Transport> transport_;  // shared with the peers made from it
  prometheus::Registry registry_;
  datanode::Metrics metrics_;
  Signal session_wake_;
  Signal scrubber_wake_;
  Signal copier_wake_;
  Signal merger_wake_;
  Signal reclaimer_wake_;
  std::unique_ptr<Node> node_;
};

NodeMachine::NodeMachine(const Options& options,
                         Scheduler& scheduler,
                         Network& network,
                         Random random)
    : options_(options), scheduler_(scheduler), network_(network), random_(random) {
  for (size_t i = 0; i < options.disks; ++i)
    disks_.push_back(std::make_unique<SimulatedDisk>(random_.Fork(), options.mutation));
}

NodeMachine::~NodeMachine() = default;

Node* NodeMachine::node() {
  return life_ == nullptr ? nullptr : life_->node();
}

bool NodeMachine::is_up() const {
  return life_ != nullptr && life_->node() != nullptr;
}

void NodeMachine::Start() {
  // At the end of a simulation fibers only run out: a new life would not.
  if (life_ != nullptr || scheduler_.is_stopped()) return;
  ++lives_;
  scheduler_.Note(host() + " starts");
  life_ = std::make_unique<Life>(*this, scheduler_);
  for (auto& disk : disks_)
    disk->SetOwner(&life_->process());
  scheduler_.Spawn(&life_->process(), [life = life_.get()] { life->Run(); });
}

void NodeMachine::Crash(Fall fall, Micros down_time) {
  if (life_ == nullptr || !life_->process().is_alive()) return;
  scheduler_.Note(host() + (fall == Fall::kPowerCut ? " loses its power" : " is killed"));
  network_.Withdraw(address());
  changed_at_ = scheduler_.now();
  life_->process().Kill([this, fall, replaced = std::exchange(replaced_, {}), down_time] {
    Ended(fall, replaced, down_time);
  });
}

void NodeMachine::CrashAfter(uint64_t operations, Fall fall, Micros down_time) {
  SomeDisk().CountDown(operations, [this, fall, down_time] { Crash(fall, down_time); });
}

void NodeMachine::ReplaceDisk(size_t index, Micros down_time) {
  replaced_.insert(index);
  Crash(Fall::kPowerCut, down_time);
}

bool NodeMachine::HasFailedDisk() const {
  return std::any_of(
      disks_.begin(), disks_.end(), [](const auto& disk) { return disk->has_failed(); });
}

void NodeMachine::Ended(Fall fall, const std::set<size_t>& replaced, Micros down_time) {
  life_.reset();
  for (size_t i = 0; i < disks_.size(); ++i) {
    if (replaced.contains(i)) {
      scheduler_.Note(fmt::format("{} gets an empty disk {}", host(), i));
      disks_[i]->Replace();
    } else if (fall == Fall::kPowerCut) {
      disks_[i]->Crash();
    }
  }
  if (down_time > Micros(0)) scheduler_.After(down_time, [this] { Start(); });
}

void NodeMachine::JumpWall(Micros by) {
  wall_offset_ += by;
  if (life_ != nullptr) life_->process().JumpWall(by);
}

}  // namespace slipstream::simulation
