#include "tests/simulation/simulation.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "tests/simulation/append_job.h"
#include "tests/simulation/auditor.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/file_user.h"
#include "tests/simulation/inspector.h"
#include "tests/simulation/nemesis.h"
#include "tests/simulation/network.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/stage.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/trash_user.h"

namespace slipstream::simulation {
namespace {

using std::chrono::seconds;

// Nothing is broken, users have ended, and it is quiet: by then at the latest.
constexpr seconds kUsersEndWithin{300};
constexpr seconds kQuietWithin{600};
constexpr Micros kPoll{2'000'000};
// Quiet for so long that every replica was scrubbed, and every lost message would have shown.
constexpr Micros kQuietFor{90'000'000};

class Run final {
 public:
  explicit Run(const RunOptions& options)
      : random_(options.seed * 2 + 1),
        trace_(options.is_traced),
        scheduler_(random_.Next(), trace_),
        network_(scheduler_, random_.Fork()),
        stage_(scheduler_, network_, random_.Fork()),
        cluster_(ClusterOptions(options), scheduler_, network_, random_.Fork()),
        inspector_(cluster_, stage_),
        trasher_(stage_) {
    AddUsers();
    nemesis_ = std::make_unique<Nemesis>(cluster_, stage_, client_hosts_, random_.Fork());
    has_faults_ = options.has_faults;
    auditor_ = std::make_unique<Auditor>(cluster_, stage_, nemesis_->fragile(), random_.Fork());
  }

  Outcome Do() {
    cluster_.Start();
    for (auto& user : users_)
      user->Start();
    for (auto& job : jobs_)
      job->Start();
    trasher_.Start();
    auditor_->Start();
    const Micros until = seconds(random_.Between(30, 120));
    if (has_faults_) nemesis_->Start(until);
    scheduler_.Spawn(nullptr, [this, until] { Conduct(until); });
    while (!scheduler_.is_stopped())
      scheduler_.RunUntil(scheduler_.now() + seconds(1'000));
    Outcome outcome{.violation = stage_.violation(),
                    .faults = has_faults_ ? nemesis_->Describe() : "none",
                    .trace_hash = trace_.hash(),
                    .events = trace_.count(),
                    .operations = stage_.operations()};
    TearDown();
    return outcome;
  }

 private:
  Cluster::Options ClusterOptions(const RunOptions& options) {
    const auto nodes = static_cast<size_t>(random_.Between(2, 7));
    const bool is_threefold = nodes > 3 && random_.PerMille(200);
    stage_.SetReplicationMax(static_cast<uint32_t>(std::min<size_t>(nodes, 4)));
    // No report but the first is needed for anything: with some seeds there is none in time.
    static const std::vector<seconds> kReportIntervals = {seconds(10), seconds(90), seconds(7'200)};
    return {.nodes = nodes,
            .replication = is_threefold ? 3U : 2U,
            .disks = static_cast<size_t>(random_.PerMille(400) ? random_.Between(2, 3) : 1),
            .report_interval = random_.Pick(kReportIntervals),
            .mutation = options.mutation};
  }

  void AddUsers() {
    const auto users = random_.Between(1, 3);
    for (int64_t i = 0; i < users; ++i) {
      client_hosts_.push_back(fmt::format("user{}", i));
      users_.push_back(std::make_unique<FileUser>(stage_, client_hosts_.back()));
    }
    const auto jobs = random_.Between(0, 2);
    for (int64_t i = 0; i < jobs; ++i)
      jobs_.push_back(std::make_unique<AppendJob>(stage_, fmt::format("job{}", i)));
  }

  // The play, from the first fault to the last look. In a fiber.
  void Conduct(Micros until) {
    (void)scheduler_.Sleep(until);
    stage_.Close();
    const bool is_done = AwaitUsers() && AwaitQuiet() && CheckContent() && CheckRestart();
    if (is_done) scheduler_.Note("all is well");
    scheduler_.Stop();
  }

  bool AwaitUsers() {
    const Micros deadline = scheduler_.now() + kUsersEndWithin;
    while (!HaveUsersEnded()) {
      if (scheduler_.is_stopped()) return false;
      if (scheduler_.now() > deadline)
        return Fail("the users do not end, though nothing is broken");
      (void)scheduler_.Sleep(kPoll);
    }
    return true;
  }

  bool HaveUsersEnded() const {
    for (const auto& user : users_) {
      if (!user->has_ended()) return false;
    }
    for (const auto& job : jobs_) {
      if (!job->has_ended()) return false;
    }
    return trasher_.has_ended() && auditor_->has_ended() && nemesis_->has_ended();
  }

  bool AwaitQuiet() {
    const Micros deadline = scheduler_.now() + kQuietWithin;
    Micros quiet_since = Micros::max();
    while (quiet_since == Micros::max() || scheduler_.now() - quiet_since < kQuietFor) {
      if (scheduler_.is_stopped()) return false;
      if (Status failure = cluster_.failure(); !failure.ok()) return Fail(failure.ToString());
      const Status status = inspector_.CheckQuiet();
      if (status.ok()) {
        if (quiet_since == Micros::max()) quiet_since = scheduler_.now();
      } else if (status.code() != Code::kUnavailable) {
        return Fail(status.ToString());
      } else {
        if (quiet_since != Micros::max()) scheduler_.Note("not quiet: " + status.message());
        quiet_since = Micros::max();
        if (scheduler_.now() > deadline)
          return Fail("it does not become quiet: " + status.message());
      }
      (void)scheduler_.Sleep(kPoll);
    }
    stage_.SetCalmSince(quiet_since);
    return true;
  }

  bool CheckContent() {
    for (auto& user : users_)
      user->CheckAll();
    for (auto& job : jobs_)
      job->CheckAll();
    if (!stage_.violation().empty()) return false;
    if (Status status = inspector_.VerifyReplicas(); !status.ok()) return Fail(status.ToString());
    return true;
  }

  // What the master says is in its store: a new process says the same.
  bool CheckRestart() {
    auto before = inspector_.DescribeState();
    if (!before.ok()) return Fail(before.status().ToString());
    cluster_.master().Crash(Fall::kPowerCut, seconds(1));
    (void)scheduler_.Sleep(seconds(5));
    if (!AwaitQuiet()) return false;
    auto after = inspector_.DescribeState();
    if (!after.ok()) return Fail(after.status().ToString());
    const auto [left, right] =
        std::mismatch(before->begin(), before->end(), after->begin(), after->end());
    if (left == before->end() && right == after->end()) return true;
    return Fail(fmt::format("a restarted master says \"{}\", and said \"{}\" before",
                            right == after->end() ? "" : *right,
                            left == before->end() ? "" : *left));
  }

  bool Fail(const std::string& what) {
    stage_.Fail(what);
    return false;
  }

  void TearDown() {
    stage_.Close();
    cluster_.Stop();
    for (auto& user : users_)
      user->Stop();
    for (auto& job : jobs_)
      job->Stop();
    trasher_.Stop();
    auditor_->Stop();
    scheduler_.Drain();
  }

  Random random_;
  Trace trace_;
  Scheduler scheduler_;
  Network network_;
  Stage stage_;
  Cluster cluster_;
  Inspector inspector_;
  std::vector<std::string> client_hosts_;
  std::vector<std::unique_ptr<FileUser>> users_;
  std::vector<std::unique_ptr<AppendJob>> jobs_;
  TrashUser trasher_;
  std::unique_ptr<Nemesis> nemesis_;
  std::unique_ptr<Auditor> auditor_;
  bool has_faults_ = true;
};

}  // namespace

Outcome Simulate(const RunOptions& options) {
  Run run(options);
  return run.Do();
}

}  // namespace slipstream::simulation
