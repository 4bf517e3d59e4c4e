#include "tests/simulation/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <utility>
#include <vector>

#include <ucontext.h>

#include "common/check/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define SIMULATION_ASAN 1
#else
#define SIMULATION_ASAN 0
#endif

namespace slipstream::simulation {
namespace {

// Pages are taken from the machine as they are touched. The sanitizer's frames are large.
constexpr size_t kStackBytes = SIMULATION_ASAN ? size_t{1} << 20 : size_t{256} << 10;

// Stacks, kept for the next fiber, with a page below each that nobody may touch.
class StackPool final {
 public:
  static StackPool& Get() {
    static StackPool pool;
    return pool;
  }

  char* Take() {
    if (free_.empty()) return Map();
    char* stack = free_.back();
    free_.pop_back();
    return stack;
  }
  void Give(char* stack) { free_.push_back(stack); }

 private:
  static char* Map() {
    const auto guard = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    void* mapped = mmap(nullptr,
                        kStackBytes + guard,
                        PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                        -1,
                        0);
    SLIPSTREAM_CHECK(mapped != MAP_FAILED, "no memory for a stack");
    SLIPSTREAM_CHECK(mprotect(mapped, guard, PROT_NONE) == 0, "no guard below a stack");
    return static_cast<char*>(mapped) + guard;
  }

  std::vector<char*> free_;
};

}  // namespace

struct Fiber::Context {
  std::function<void()> body;
  char* stack = nullptr;
  ucontext_t own{};
  ucontext_t resumer{};
  bool has_begun = false;
  bool has_ended = false;
#if SIMULATION_ASAN
  void* own_fake = nullptr;
  void* resumer_fake = nullptr;
  const void* resumer_stack = nullptr;
  size_t resumer_stack_bytes = 0;
#endif

  // makecontext passes ints only.
  static void Enter(unsigned high, unsigned low) {
    const uintptr_t bits = (static_cast<uintptr_t>(high) << 32) | low;
    auto* context = reinterpret_cast<Context*>(bits);
#if SIMULATION_ASAN
    __sanitizer_finish_switch_fiber(
        nullptr, &context->resumer_stack, &context->resumer_stack_bytes);
#endif
    context->body();
    context->body = nullptr;
    context->has_ended = true;
#if SIMULATION_ASAN
    __sanitizer_start_switch_fiber(nullptr, context->resumer_stack, context->resumer_stack_bytes);
#endif
    swapcontext(&context->own, &context->resumer);
  }
};

Fiber::Fiber(std::function<void()> body) : context_(std::make_unique<Context>()) {
  context_->body = std::move(body);
}

Fiber::~Fiber() {
  SLIPSTREAM_CHECK(context_->has_ended || !context_->has_begun,
                   "a fiber was dropped in its middle");
  if (context_->stack != nullptr) StackPool::Get().Give(context_->stack);
}

void Fiber::Resume() {
  Context& context = *context_;
  SLIPSTREAM_CHECK(!context.has_ended, "a fiber that has ended cannot go on");
  if (!context.has_begun) {
    context.has_begun = true;
    context.stack = StackPool::Get().Take();
    getcontext(&context.own);
    context.own.uc_stack.ss_sp = context.stack;
    context.own.uc_stack.ss_size = kStackBytes;
    context.own.uc_link = nullptr;
    const auto bits = reinterpret_cast<uintptr_t>(&context);
    makecontext(&context.own,
                reinterpret_cast<void (*)()>(&Context::Enter),
                2,
                static_cast<unsigned>(bits >> 32),
                static_cast<unsigned>(bits));
  }
#if SIMULATION_ASAN
  __sanitizer_start_switch_fiber(&context.resumer_fake, context.stack, kStackBytes);
#endif
  swapcontext(&context.resumer, &context.own);
#if SIMULATION_ASAN
  __sanitizer_finish_switch_fiber(context.resumer_fake, nullptr, nullptr);
#endif
}

void Fiber::Yield() {
  Context& context = *context_;
#if SIMULATION_ASAN
  __sanitizer_start_switch_fiber(
      &context.own_fake, context.resumer_stack, context.resumer_stack_bytes);
#endif
  swapcontext(&context.own, &context.resumer);
#if SIMULATION_ASAN
  __sanitizer_finish_switch_fiber(
      context.own_fake, &context.resumer_stack, &context.resumer_stack_bytes);
#endif
}

bool Fiber::has_ended() const {
  return context_->has_ended;
}

}  // namespace slipstream::simulation
