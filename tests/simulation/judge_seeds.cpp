#include "tests/simulation/judge_seeds.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

#include "common/check/check.h"

namespace slipstream::simulation {
namespace {

struct Worker {
  pid_t pid = 0;
  int pipe = -1;  // its verdicts
};

// A verdict on the way: the seed, how long the text is, the text.
struct Head {
  uint64_t seed = 0;
  uint64_t length = 0;
};

void WriteAll(int pipe, const void* data, size_t length) {
  const char* bytes = static_cast<const char*>(data);
  while (length > 0) {
    const ssize_t written = write(pipe, bytes, length);
    if (written <= 0) _exit(1);  // nobody listens any more
    bytes += written;
    length -= static_cast<size_t>(written);
  }
}

bool ReadAll(int pipe, void* data, size_t length) {
  char* bytes = static_cast<char*>(data);
  while (length > 0) {
    const ssize_t got = read(pipe, bytes, length);
    if (got <= 0) return false;
    bytes += got;
    length -= static_cast<size_t>(got);
  }
  return true;
}

Worker Start(const Seeds& seeds,
             uint64_t index,
             unsigned processes,
             const std::function<std::string(uint64_t)>& judge) {
  int ends[2];
  SLIPSTREAM_CHECK(pipe(ends) == 0, "no pipe");
  (void)std::fflush(nullptr);  // or it is written twice
  const pid_t pid = fork();
  SLIPSTREAM_CHECK(pid >= 0, "no process");
  if (pid != 0) {
    close(ends[1]);
    return {.pid = pid, .pipe = ends[0]};
  }
  close(ends[0]);
  for (uint64_t seed = seeds.first + index; seed <= seeds.last; seed += processes) {
    const std::string verdict = judge(seed);
    const Head head{.seed = seed, .length = verdict.size()};
    WriteAll(ends[1], &head, sizeof head);
    WriteAll(ends[1], verdict.data(), verdict.size());
  }
  (void)std::fflush(nullptr);
  _exit(0);  // of the parent nothing is cleaned up here
}

}  // namespace

std::map<uint64_t, std::string> JudgeSeeds(const Seeds& seeds,
                                           unsigned processes,
                                           const std::function<std::string(uint64_t)>& judge) {
  std::vector<Worker> workers;
  for (uint64_t i = 0; i < processes; ++i)
    workers.push_back(Start(seeds, i, processes, judge));
  std::map<uint64_t, std::string> verdicts;
  for (uint64_t i = 0; i < processes; ++i) {
    const Worker& worker = workers[i];
    uint64_t seed = seeds.first + i;  // the next that is to come
    for (Head head; ReadAll(worker.pipe, &head, sizeof head); seed += processes) {
      std::string verdict(head.length, '\0');
      if (!ReadAll(worker.pipe, verdict.data(), verdict.size())) break;
      if (!verdict.empty()) verdicts[head.seed] = std::move(verdict);
    }
    close(worker.pipe);
    int status = 0;
    SLIPSTREAM_CHECK(waitpid(worker.pid, &status, 0) == worker.pid, "a process is gone");
    if (status != 0) verdicts[seed] = "the process that simulated it died";
  }
  return verdicts;
}

}  // namespace slipstream::simulation
