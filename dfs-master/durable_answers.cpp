#include "dfs-master/durable_answers.h"

#include <algorithm>
#include <utility>

namespace slipstream::dfs::master {

DurableAnswers::DurableAnswers(std::function<Status(uint64_t position)> await)
    : await_(std::move(await)), thread_([this] { Run(); }) {}

DurableAnswers::~DurableAnswers() {
  {
    MutexLock lock(mutex_);
    is_ending_ = true;
  }
  added_.NotifyOne();
  thread_.join();
}

void DurableAnswers::Add(uint64_t position, Give give) {
  bool was_empty = false;
  {
    MutexLock lock(mutex_);
    was_empty = answers_.empty();
    answers_.push_back({.position = position, .give = std::move(give)});
  }
  if (was_empty) added_.NotifyOne();
}

void DurableAnswers::Run() {
  std::vector<Answer> round;
  for (;;) {
    {
      MutexLock lock(mutex_);
      while (answers_.empty() && !is_ending_)
        added_.Wait(mutex_);
      if (answers_.empty()) return;
      round.swap(answers_);
    }
    uint64_t furthest = 0;
    for (const Answer& answer : round)
      furthest = std::max(furthest, answer.position);
    const Status status = await_(furthest);
    for (const Answer& answer : round)
      answer.give(status);
    round.clear();
  }
}

}  // namespace slipstream::dfs::master
