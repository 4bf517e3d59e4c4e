#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

// Mutexes that clang's -Wthread-safety understands (libstdc++'s carry no attributes). A member
// says what protects it: `int count_ GUARDED_BY(mutex_);`.

#if defined(__clang__)
#define SLIPSTREAM_TSA(x) __attribute__((x))
#else
#define SLIPSTREAM_TSA(x)
#endif

// Abseil, which comes in with gRPC, still defines these two, with the same meaning.
#undef GUARDED_BY
#undef PT_GUARDED_BY

#define CAPABILITY(x) SLIPSTREAM_TSA(capability(x))
#define SCOPED_CAPABILITY SLIPSTREAM_TSA(scoped_lockable)
#define GUARDED_BY(x) SLIPSTREAM_TSA(guarded_by(x))
#define PT_GUARDED_BY(x) SLIPSTREAM_TSA(pt_guarded_by(x))
#define REQUIRES(...) SLIPSTREAM_TSA(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) SLIPSTREAM_TSA(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) SLIPSTREAM_TSA(acquire_capability(__VA_ARGS__))
#define RELEASE(...) SLIPSTREAM_TSA(release_capability(__VA_ARGS__))

namespace slipstream {

class CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  ~Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ACQUIRE() { mutex_.lock(); }
  void Unlock() RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// A condition variable over Mutex. Spurious wake-ups happen: wait in a loop over the condition.
class CondVar {
 public:
  void Wait(Mutex& mutex) REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }

  // Returns false when `timeout` has passed without a notification.
  template <class Rep, class Period>
  bool WaitFor(Mutex& mutex, std::chrono::duration<Rep, Period> timeout) REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    bool notified = condition_.wait_for(lock, timeout) == std::cv_status::no_timeout;
    lock.release();
    return notified;
  }

  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace slipstream
