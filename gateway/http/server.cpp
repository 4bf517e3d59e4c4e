#include "gateway/http/server.h"

#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <prometheus/counter.h>

#include "common/clock/clock.h"
#include "common/net/host_port.h"
#include "common/sync/mutex.h"
#include "common/tls/server_context.h"

namespace slipstream::gateway::http {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

constexpr int kBacklog = 1'024;
// After a failed accept (no file descriptors, most likely) before the next.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

Result<tcp::endpoint> Resolve(asio::io_context& io, const HostPort& listen) {
  boost::system::error_code error;
  tcp::resolver resolver(io);
  const auto results = resolver.resolve(listen.host, std::to_string(listen.port), error);
  if (error || results.empty()) {
    return InvalidArgument("resolve " + listen.host + ": " + error.message());
  }
  return results.begin()->endpoint();
}

}  // namespace

// In the order of use, so that destruction is the reverse: handlers left in the loop hold
// connections, which take themselves off the context and hand what they own to the pools.
struct Server::Impl {
  Impl(Options given, Handler& handler, Metrics& metrics)
      : options(std::move(given)),
        budget(options.limits.memory_bytes_max),
        quick(options.quick_threads),
        slow(options.slow_threads),
        context{.limits = options.limits,
                .handler = handler,
                .metrics = metrics,
                .budget = budget,
                .io = io,
                .quick = quick,
                .slow = slow},
        acceptor(io),
        pause(io),
        work(asio::make_work_guard(io)) {}

  Status Listen();
  Status OpenTls();
  void Accept();
  void Drain();

  const Options options;
  MemoryBudget budget;
  asio::thread_pool quick;
  asio::thread_pool slow;
  ConnectionContext context;
  asio::io_context io{1};
  std::unique_ptr<tls::ServerContext> tls;  // null: plain HTTP
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::string address;

  Mutex mutex;
  CondVar drained;
  bool is_drained GUARDED_BY(mutex) = false;
  bool is_stopped = false;
  std::jthread thread;
};

Status Server::Impl::Listen() {
  ASSIGN_OR_RETURN(HostPort listen, ParseHostPort(options.listen));
  ASSIGN_OR_RETURN(const tcp::endpoint endpoint, Resolve(io, listen));
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(kBacklog, error);
  if (error) return Unavailable("cannot listen on " + options.listen + ": " + error.message());
  listen.port = acceptor.local_endpoint().port();
  address = listen.ToString();
  return {};
}

Status Server::Impl::OpenTls() {
  if (options.tls_dir.empty()) return {};
  ASSIGN_OR_RETURN(tls,
                   tls::ServerContext::Open(options.tls_dir, tls::ClientCertificate::kNotAsked));
  return {};
}

void Server::Impl::Accept() {
  acceptor.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) {
      pause.expires_after(kAcceptPause);
      pause.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled) Accept();
      });
      return;
    }
    if (context.open.size() >= options.limits.connections_max) {
      context.metrics.refused.Increment();
    } else {
      const bool is_ipv6 = acceptor.local_endpoint().address().is_v6();
      OpenConnection(socket.release(), is_ipv6, tls == nullptr ? nullptr : tls->Current(), context);
    }
    Accept();
  });
}

void Server::Impl::Drain() {
  boost::system::error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  context.is_draining = true;
  context.on_none_open = [this] {
    MutexLock lock(mutex);
    is_drained = true;
    drained.NotifyAll();
  };
  // Each may end at once, and take itself off the list.
  std::vector<std::function<void()>> all;
  for (const auto& [id, end] : context.open)
    all.push_back(end);
  for (const std::function<void()>& end : all)
    end();
  if (context.open.empty()) context.on_none_open();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  Stop(std::chrono::milliseconds(0));
}

Result<std::unique_ptr<Server>> Server::Start(Options options, Handler& handler, Metrics& metrics) {
  auto impl = std::make_unique<Impl>(std::move(options), handler, metrics);
  RETURN_IF_ERROR(impl->OpenTls());
  RETURN_IF_ERROR(impl->Listen());
  impl->Accept();
  impl->thread = std::jthread([raw = impl.get()] { raw->io.run(); });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

const std::string& Server::address() const {
  return impl_->address;
}

void Server::Stop(std::chrono::milliseconds drain_time) {
  Impl& impl = *impl_;
  if (std::exchange(impl.is_stopped, true)) return;
  if (impl.thread.joinable()) {
    asio::post(impl.io, [&impl] { impl.Drain(); });
    const SteadyTime give_up_at = SystemClock::Get().Now() + drain_time;
    MutexLock lock(impl.mutex);
    while (!impl.is_drained) {
      const auto left = give_up_at - SystemClock::Get().Now();
      if (left.count() <= 0) break;
      (void)impl.drained.WaitFor(impl.mutex, left);
    }
  }
  impl.io.stop();
  if (impl.thread.joinable()) impl.thread.join();
  impl.context.on_none_open = {};
  impl.quick.join();
  impl.slow.join();
}

}  // namespace slipstream::gateway::http
