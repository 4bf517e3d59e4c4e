#include "tests/simulation/stage.h"

#include <utility>

#include <fmt/format.h>

#include "dfs-client/dfs_client.h"
#include "tests/simulation/master_machine.h"

namespace slipstream::simulation {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDataTimeout{30'000};
constexpr milliseconds kReplicaTimeout{3'000};

}  // namespace

std::unique_ptr<dfs::DfsClient> Stage::Connect(Process& process,
                                               const std::string& host,
                                               milliseconds patience,
                                               milliseconds master_patience) {
  dfs::ClientOptions options;
  options.master = MasterMachine::kAddress;
  options.timeout = master_patience;
  options.write_timeout = kDataTimeout;
  options.read_timeout = patience;
  options.replica_timeout = kReplicaTimeout;
  options.threads_max = 0;
  options.on_notice = [](const std::string&) {};
  options.stop = process.stop_token();
  options.transport = network_.TransportOf(process, host);
  options.clock = &process;
  options.sleeper = &process;
  options.seed = random_.Next() | 1;
  return dfs::DfsClient::Connect(std::move(options));
}

void Stage::Fail(const std::string& what) {
  if (!violation_.empty()) return;
  violation_ = fmt::format("at {:.3f} s: {}", static_cast<double>(now().count()) / 1e6, what);
  scheduler_.Note("VIOLATION " + violation_);
  scheduler_.Stop();
}

std::string Stage::NewContent() {
  size_t length = 1 + random_.Below(3'000);
  if (random_.PerMille(150)) length = 1 + random_.Below(60'000);
  if (random_.PerMille(8)) length = (size_t{1} << 20) + random_.Below(300'000);
  const bool is_compressible = random_.PerMille(600);
  std::string content = fmt::format("<{}>", ++contents_);
  content.reserve(length + 8);
  while (content.size() < length) {
    uint64_t bits = random_.Next();
    for (int i = 0; i < 8 && content.size() < length; ++i, bits >>= 8) {
      const auto byte = static_cast<unsigned char>(bits);
      content.push_back(static_cast<char>(is_compressible ? 'a' + byte % 4 : byte));
    }
  }
  return content;
}

bool IsUncertain(Code code) {
  switch (code) {
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
    case Code::kCancelled:
    case Code::kAborted:
    case Code::kResourceExhausted:
    case Code::kDataLoss:
      return true;
    default:
      return false;
  }
}

}  // namespace slipstream::simulation
