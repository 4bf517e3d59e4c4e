#include "tests/simulation/master_machine.h"

#include <utility>

#include <fmt/format.h>

#include "dfs-master/master_handlers.h"
#include "tests/simulation/master_mutator.h"

namespace slipstream::simulation {

using dfs::master::Master;
using dfs::master::MasterHandlers;

namespace {
constexpr Micros kTickPeriod{1'000'000};
}  // namespace

// One life of the process.
class MasterMachine::Life final : public Service {
 public:
  Life(MasterMachine& machine, Scheduler& scheduler)
      : machine_(machine),
        process_(scheduler, fmt::format("master/{}", machine.lives_), machine.wall_offset_),
        mutator_(machine.options_.mutation),
        tokens_(process_) {}

  Process& process() { return process_; }
  bool is_serving() const { return handlers_ != nullptr && process_.is_alive(); }

  // In a fiber.
  void Run() {
    Master::Options options = machine_.options_.master;
    options.seed = machine_.random_.Next();
    options.load_inline_max = machine_.random_.Below(50);
    options.load_step_max = 1 + machine_.random_.Below(20);
    auto opened = Master::Open(options, machine_.store_, process_);
    if (!process_.is_alive()) return;
    if (!opened.ok()) {
      machine_.failure_ = opened.status().WithContext("the master does not open its store");
      return;
    }
    master_ = std::move(*opened);
    handlers_ = std::make_unique<MasterHandlers>(
        *master_,
        "simulated",
        std::make_shared<dfs::master::Caller>(dfs::master::Caller::Process()),
        &tokens_);
    machine_.network_.Listen(kAddress, process_, *this);
    machine_.changed_at_ = process_.scheduler().now();
    process_.scheduler().Spawn(&process_, [this] { LoadBlocks(); });
    while (process_.is_alive()) {
      (void)master_->Tick();
      (void)process_.scheduler().Sleep(kTickPeriod);
    }
  }

  Result<std::string> Handle(ServerCall& call) override {
    if (call.method().ends_with("/ReportBlocks")) return TakeReport(call);
    std::string request;
    if (!call.Receive(request)) return Cancelled("no request");
    return mutator_.Answer(call.method(), request, [this, &call](const std::string& asked) {
      return handlers_->Dispatch(call.method(), asked);
    });
  }

 private:
  // In a fiber, beside all else.
  void LoadBlocks() {
    Result<bool> has_more = true;
    while (process_.is_alive() && has_more.ok() && *has_more) {
      (void)process_.scheduler().Sleep(Micros(machine_.random_.Between(100, 50'000)));
      if (process_.is_alive()) has_more = master_->LoadStep();
    }
  }
  Result<std::string> TakeReport(ServerCall& call) {
    MasterHandlers::BlockReport report = handlers_->BeginBlockReport();
    std::string bytes;
    while (call.Receive(bytes)) {
      dfs::v1::ReportBlocksRequest chunk;
      if (!chunk.ParseFromString(bytes)) return Internal("a damaged chunk");
      mutator_.Falsify(chunk);
      (void)process_.scheduler().Sleep(
          Micros(machine_.random_.Between(0, machine_.report_time_max_.count())));
      if (!process_.is_alive()) return Cancelled("the master is gone");
      RETURN_IF_ERROR(report.Add(chunk));
    }
    // As over gRPC: what was cut off is no report.
    if (call.stop().stop_requested()) return Cancelled("the node is gone");
    dfs::v1::ReportBlocksResponse response;
    RETURN_IF_ERROR(report.Finish(response));
    return response.SerializeAsString();
  }

  MasterMachine& machine_;
  Process process_;
  MasterMutator mutator_;
  dfs::master::BlockTokenIssuer tokens_;
  std::unique_ptr<Master> master_;
  std::unique_ptr<MasterHandlers> handlers_;
};

MasterMachine::MasterMachine(const Options& options,
                             Scheduler& scheduler,
                             Network& network,
                             Random random)
    : options_(options),
      scheduler_(scheduler),
      network_(network),
      random_(random),
      store_(scheduler, random_.Fork(), options.mutation) {}

MasterMachine::~MasterMachine() = default;

bool MasterMachine::is_up() const {
  return life_ != nullptr && life_->is_serving();
}

void MasterMachine::Start() {
  // At the end of a simulation fibers only run out: a new life would not.
  if (life_ != nullptr || scheduler_.is_stopped()) return;
  ++lives_;
  scheduler_.Note("master starts");
  life_ = std::make_unique<Life>(*this, scheduler_);
  store_.Open(life_->process());
  scheduler_.Spawn(&life_->process(), [life = life_.get()] { life->Run(); });
}

void MasterMachine::Crash(Fall fall, Micros down_time) {
  if (life_ == nullptr || !life_->process().is_alive()) return;
  scheduler_.Note(fall == Fall::kPowerCut ? "master loses its power" : "master is killed");
  network_.Withdraw(kAddress);
  changed_at_ = scheduler_.now();
  life_->process().Kill([this, fall, down_time] { Ended(fall, down_time); });
}

void MasterMachine::CrashAfter(uint64_t operations, Fall fall, Micros down_time) {
  store_.CountDown(operations, [this, fall, down_time] { Crash(fall, down_time); });
}

void MasterMachine::Ended(Fall fall, Micros down_time) {
  if (fall == Fall::kPowerCut) store_.Crash();
  life_.reset();
  if (down_time > Micros(0)) scheduler_.After(down_time, [this] { Start(); });
}

void MasterMachine::JumpWall(Micros by) {
  wall_offset_ += by;
  if (life_ != nullptr) life_->process().JumpWall(by);
}

}  // namespace slipstream::simulation
