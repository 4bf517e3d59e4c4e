#include "common/daemon/control_loop.h"

#include <signal.h>

#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/daemon/service_manager.h"

namespace slipstream::daemon {
namespace {

namespace asio = boost::asio;

struct PeriodicTask {
  PeriodicTask(asio::io_context& context,
               std::chrono::milliseconds every,
               std::function<void()> what)
      : timer(context), period(every), task(std::move(what)) {}

  void Schedule() {
    timer.expires_after(period);
    timer.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      task();
      Schedule();
    });
  }

  asio::steady_timer timer;
  const std::chrono::milliseconds period;
  const std::function<void()> task;
};

}  // namespace

struct ControlLoop::Impl {
  Impl() : context(1), signals(context, SIGTERM, SIGINT), work(asio::make_work_guard(context)) {}

  asio::io_context context;
  asio::signal_set signals;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::vector<std::unique_ptr<PeriodicTask>> tasks;
  int signal_number = 0;
};

ControlLoop::ControlLoop() : impl_(std::make_unique<Impl>()) {
  ::signal(SIGPIPE, SIG_IGN);
  impl_->signals.async_wait(
      [impl = impl_.get()](const boost::system::error_code& error, int number) {
        if (error) return;
        impl->signal_number = number;
        boost::system::error_code ignored;
        impl->signals.clear(ignored);
        impl->context.stop();
      });
}

ControlLoop::~ControlLoop() = default;

void ControlLoop::Every(std::chrono::milliseconds period, std::function<void()> task) {
  impl_->tasks.push_back(std::make_unique<PeriodicTask>(impl_->context, period, std::move(task)));
  impl_->tasks.back()->Schedule();
}

void ControlLoop::Post(std::function<void()> task) {
  asio::post(impl_->context, std::move(task));
}

int ControlLoop::Run() {
  impl_->context.run();
  // A manager that is gone must not keep the process from its drain.
  (void)TellServiceManager("STOPPING=1");
  return impl_->signal_number;
}

void ControlLoop::Stop() {
  impl_->context.stop();
}

}  // namespace slipstream::daemon
