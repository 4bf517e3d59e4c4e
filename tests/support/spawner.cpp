#include "tests/support/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <optional>
#include <thread>

#include "common/sync/mutex.h"

namespace slipstream::test_support {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings)
    pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

bool Redirect(const char* path, int flags, int target) {
  const int fd = ::open(path, flags | O_CLOEXEC, 0644);
  return fd >= 0 && ::dup2(fd, target) == target;
}

// The child's side of fork. Other threads may have held any lock at that moment, so only
// async-signal-safe calls are made here. Returns (with errno) only when it fails.
void Exec(const SpawnRequest& request, char** argv, char** environment, pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
  if (::getppid() != parent) ::_exit(127);  // the parent died before the line above
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::chdir(request.working_directory.c_str()) != 0) return;
  if (!Redirect(request.stdin_path.c_str(), O_RDONLY, STDIN_FILENO)) return;
  constexpr int kAppend = O_WRONLY | O_CREAT | O_APPEND;
  if (!Redirect(request.stdout_path.c_str(), kAppend, STDOUT_FILENO)) return;
  if (!Redirect(request.stderr_path.c_str(), kAppend, STDERR_FILENO)) return;
  ::execve(argv[0], argv, environment);
}

// Forks and waits until the child has become the program; an error of the child comes back
// through a pipe that a successful exec closes.
Result<pid_t> ForkAndExec(const SpawnRequest& request) {
  std::vector<char*> argv = Pointers(request.argv);
  std::vector<char*> environment = Pointers(request.environment);
  int error_pipe[2];
  if (::pipe2(error_pipe, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe");
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    Exec(request, argv.data(), environment.data(), parent);
    const int error = errno;
    (void)!::write(error_pipe[1], &error, sizeof(error));
    ::_exit(127);
  }
  const int fork_error = errno;
  ::close(error_pipe[1]);
  int error = 0;
  const ssize_t count = pid < 0 ? 0 : ::read(error_pipe[0], &error, sizeof(error));
  ::close(error_pipe[0]);
  if (pid < 0) return ErrnoStatus(fork_error, "fork");
  if (count > 0) return ErrnoStatus(error, "start " + request.argv[0]);
  return pid;
}

// One request at a time, handed to the thread and back.
class Spawner {
 public:
  Spawner() : thread_([this] { Run(); }) {}

  Result<pid_t> Spawn(const SpawnRequest& request) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (request_ != nullptr)
      changed_.Wait(mutex_);
    request_ = &request;
    changed_.NotifyAll();
    while (!result_.has_value())
      changed_.Wait(mutex_);
    Result<pid_t> result = std::move(*result_);
    result_.reset();
    request_ = nullptr;
    changed_.NotifyAll();
    return result;
  }

 private:
  [[noreturn]] void Run() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    for (;;) {
      while (request_ == nullptr || result_.has_value())
        changed_.Wait(mutex_);
      result_ = ForkAndExec(*request_);
      changed_.NotifyAll();
    }
  }

  Mutex mutex_;
  CondVar changed_;
  const SpawnRequest* request_ GUARDED_BY(mutex_) = nullptr;  // null: the thread is free
  std::optional<Result<pid_t>> result_ GUARDED_BY(mutex_);
  std::thread thread_;  // last: it uses the members above
};

}  // namespace

Result<pid_t> Spawn(const SpawnRequest& request) {
  // Never destroyed: its thread must not end before the process does.
  static auto* spawner = new Spawner;
  return spawner->Spawn(request);
}

}  // namespace slipstream::test_support
