#include "tests/support/test_network.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sched.h>

#include "tests/support/eventually.h"

namespace slipstream::test_support {
namespace {

constexpr char kIp[] = "/usr/sbin/ip";
constexpr char kNsenter[] = "/usr/bin/nsenter";
constexpr char kReadlink[] = "/usr/bin/readlink";
constexpr char kUnshare[] = "/usr/bin/unshare";

Status Run(const std::filesystem::path& program, const std::vector<std::string>& args) {
  ASSIGN_OR_RETURN(ToolResult result, RunTool({.program = program, .args = args}));
  if (result.exit.code == 0) return {};
  return Internal(fmt::format("{} {}: {}", program.string(), fmt::join(args, " "), result.err));
}

Status Ip(std::vector<std::string> args) {
  return Run(kIp, args);
}

std::string NamespaceOf(pid_t pid) {
  std::error_code ignored;
  return std::filesystem::read_symlink(fmt::format("/proc/{}/ns/net", pid), ignored).string();
}

}  // namespace

std::string TestNetwork::WhyUnavailable() {
  if (geteuid() != 0) return "network namespaces need root";
  for (const char* program : {kIp, kNsenter, kReadlink, kUnshare}) {
    if (!std::filesystem::exists(program)) return fmt::format("{} is not installed", program);
  }
  return "";
}

Result<std::unique_ptr<TestNetwork>> TestNetwork::Make(int hosts) {
  if (unshare(CLONE_NEWNET) != 0) {
    return Internal(fmt::format("unshare: {}", std::strerror(errno)));
  }
  // What is started from here on must be here, too: the next commands change the network.
  ASSIGN_OR_RETURN(const ToolResult where,
                   RunTool({.program = kReadlink, .args = {"/proc/self/ns/net"}}));
  if (where.out != NamespaceOf(getpid()) + "\n") {
    return FailedPrecondition(
        "this process has started others before: they are in another network");
  }
  std::unique_ptr<TestNetwork> network(new TestNetwork());
  RETURN_IF_ERROR(Ip({"link", "set", "lo", "up"}));
  RETURN_IF_ERROR(WriteFile("/proc/sys/net/ipv4/ip_forward", "1"));
  for (int host = 0; host < hosts; ++host)
    RETURN_IF_ERROR(network->AddHost(host));
  return network;
}

TestNetwork::~TestNetwork() = default;

std::string TestNetwork::address(int host) const {
  return fmt::format("10.77.{}.2", host);
}

std::vector<std::string> TestNetwork::CommandPrefix(int host) const {
  return {kNsenter,
          fmt::format("--net=/proc/{}/ns/net", holders_.at(static_cast<size_t>(host))->pid()),
          "--"};
}

Status TestNetwork::AddHost(int host) {
  ASSIGN_OR_RETURN(std::unique_ptr<Process> holder,
                   Process::Start({.program = kUnshare,
                                   .args = {"--net", "tail", "-f", "/dev/null"},
                                   .dir = logs_.path(),
                                   .name = fmt::format("host-{}", host)}));
  const std::string here = NamespaceOf(getpid());
  const auto is_apart = [&] {
    const std::string there = NamespaceOf(holder->pid());
    return !there.empty() && there != here;
  };
  if (!Eventually(is_apart)) return Internal("no new network namespace");
  const std::string cable = fmt::format("host{}", host);
  const std::string pid = std::to_string(holder->pid());
  holders_.push_back(std::move(holder));
  RETURN_IF_ERROR(Ip({"link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", pid}));
  RETURN_IF_ERROR(Ip({"addr", "add", fmt::format("10.77.{}.1/24", host), "dev", cable}));
  RETURN_IF_ERROR(Ip({"link", "set", cable, "up"}));
  const std::vector<std::vector<std::string>> setup = {
      {"link", "set", "lo", "up"},
      {"addr", "add", address(host) + "/24", "dev", "eth0"},
      {"link", "set", "eth0", "up"},
      {"route", "add", "default", "via", fmt::format("10.77.{}.1", host)}};
  for (const std::vector<std::string>& step : setup) {
    std::vector<std::string> args = CommandPrefix(host);
    args.erase(args.begin());
    args.emplace_back(kIp);
    args.insert(args.end(), step.begin(), step.end());
    RETURN_IF_ERROR(Run(kNsenter, args));
  }
  return {};
}

Status TestNetwork::AddRule(std::vector<std::string> rule) {
  std::vector<std::string> add = {"rule", "add"};
  add.insert(add.end(), rule.begin(), rule.end());
  RETURN_IF_ERROR(Ip(std::move(add)));
  rules_.push_back(std::move(rule));
  return {};
}

Status TestNetwork::Cut(int from, int to) {
  return AddRule({"from", address(from), "to", address(to), "blackhole"});
}

Status TestNetwork::CutBetween(int host, int other) {
  RETURN_IF_ERROR(Cut(host, other));
  return Cut(other, host);
}

Status TestNetwork::CutFromHere(int host) {
  return AddRule({"iif", "lo", "to", address(host), "blackhole"});
}

Status TestNetwork::Heal() {
  for (const std::vector<std::string>& rule : std::exchange(rules_, {})) {
    std::vector<std::string> remove = {"rule", "del"};
    remove.insert(remove.end(), rule.begin(), rule.end());
    RETURN_IF_ERROR(Ip(std::move(remove)));
  }
  return {};
}

}  // namespace slipstream::test_support
