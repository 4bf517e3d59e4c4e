#include "gateway/http/memory_budget.h"

#include <algorithm>
#include <utility>

namespace slipstream::gateway::http {

struct MemoryBudget::Ledger : std::enable_shared_from_this<Ledger> {
  struct Request {
    uint64_t ticket = 0;
    uint64_t bytes = 0;
    std::function<void(Share)> granted;
  };

  uint64_t bytes_max = 0;
  uint64_t free_bytes = 0;
  uint64_t last_ticket = 0;
  std::list<Request> requests;

  void Grant() {
    while (!requests.empty() && requests.front().bytes <= free_bytes) {
      Request request = std::move(requests.front());
      requests.pop_front();
      free_bytes -= request.bytes;
      request.granted(Share(weak_from_this(), request.bytes));
    }
  }
};

MemoryBudget::Share& MemoryBudget::Share::operator=(Share&& other) noexcept {
  if (this == &other) return *this;
  Return();
  ledger_ = std::move(other.ledger_);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void MemoryBudget::Share::Return() {
  const uint64_t bytes = std::exchange(bytes_, 0);
  const std::shared_ptr<Ledger> ledger = ledger_.lock();
  if (bytes == 0 || ledger == nullptr) return;
  ledger->free_bytes += bytes;
  ledger->Grant();
}

MemoryBudget::Waiting& MemoryBudget::Waiting::operator=(Waiting&& other) noexcept {
  if (this == &other) return *this;
  Withdraw();
  ledger_ = std::move(other.ledger_);
  ticket_ = std::exchange(other.ticket_, 0);
  return *this;
}

void MemoryBudget::Waiting::Withdraw() {
  const uint64_t ticket = std::exchange(ticket_, 0);
  const std::shared_ptr<Ledger> ledger = ledger_.lock();
  if (ticket == 0 || ledger == nullptr) return;
  ledger->requests.remove_if([&](const auto& request) { return request.ticket == ticket; });
  // It may have stood in the way of others.
  ledger->Grant();
}

MemoryBudget::MemoryBudget(uint64_t bytes_max) : ledger_(std::make_shared<Ledger>()) {
  ledger_->bytes_max = bytes_max;
  ledger_->free_bytes = bytes_max;
}

MemoryBudget::Waiting MemoryBudget::Reserve(uint64_t bytes, std::function<void(Share)> granted) {
  const uint64_t ticket = ++ledger_->last_ticket;
  ledger_->requests.push_back({.ticket = ticket,
                               .bytes = std::min(bytes, ledger_->bytes_max),
                               .granted = std::move(granted)});
  ledger_->Grant();
  return Waiting(ledger_, ticket);
}

uint64_t MemoryBudget::free_bytes() const {
  return ledger_->free_bytes;
}

}  // namespace slipstream::gateway::http
