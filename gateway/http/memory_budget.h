#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>

namespace slipstream::gateway::http {

// MemoryBudget: bytes that whoever wants much memory takes a share of first. Whoever asks when
// there is not enough waits, in the order of asking: a large share is not passed over for small
// ones.
//
// Threads    none of its own: one thread calls all of it, and destroys the shares.
// Ownership  shares and waiting requests may outlive the budget.
class MemoryBudget final {
  struct Ledger;

 public:
  // Share: bytes taken; given back when it is destroyed.
  class Share final {
   public:
    Share() = default;
    Share(Share&& other) noexcept { *this = std::move(other); }
    Share& operator=(Share&& other) noexcept;
    ~Share() { Return(); }

    uint64_t bytes() const { return bytes_; }

   private:
    friend class MemoryBudget;
    Share(std::weak_ptr<Ledger> ledger, uint64_t bytes)
        : ledger_(std::move(ledger)), bytes_(bytes) {}
    void Return();

    std::weak_ptr<Ledger> ledger_;
    uint64_t bytes_ = 0;
  };

  // A request that waits; destroying it withdraws it.
  class Waiting final {
   public:
    Waiting() = default;
    Waiting(Waiting&& other) noexcept { *this = std::move(other); }
    Waiting& operator=(Waiting&& other) noexcept;
    ~Waiting() { Withdraw(); }

   private:
    friend class MemoryBudget;
    Waiting(std::weak_ptr<Ledger> ledger, uint64_t ticket)
        : ledger_(std::move(ledger)), ticket_(ticket) {}
    void Withdraw();

    std::weak_ptr<Ledger> ledger_;
    uint64_t ticket_ = 0;
  };

  explicit MemoryBudget(uint64_t bytes_max);

  // Calls `granted` with `bytes` (at most all there are): at once, or when others have given theirs
  // back.
  [[nodiscard]] Waiting Reserve(uint64_t bytes, std::function<void(Share)> granted);

  uint64_t free_bytes() const;

 private:
  std::shared_ptr<Ledger> ledger_;  // with it alone; shares look at it, so as to outlive it
};

}  // namespace slipstream::gateway::http
