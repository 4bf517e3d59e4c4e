#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "gateway/http/memory_budget.h"
#include "gateway/http/message.h"
#include "gateway/http/metrics.h"

namespace boost::asio {
class io_context;
class thread_pool;
namespace ssl {
class context;
}
}  // namespace boost::asio

namespace slipstream::gateway::http {

// What a client may take, and how slow it may be.
struct Limits {
  size_t connections_max = 2'000;          // more are closed at once
  uint32_t head_bytes_max = 64 * 1024;     // a path has 8,000 bytes, three times that encoded
  uint64_t memory_bytes_max = 1ULL << 30;  // of all uploads and downloads together
  std::chrono::milliseconds idle_timeout{75'000};         // between two requests
  std::chrono::milliseconds head_timeout{15'000};         // of a head, from its first byte
  std::chrono::milliseconds receive_timeout{60'000};      // of kReceiveBytes of a body
  std::chrono::milliseconds send_timeout{300'000};        // of a chunk of an answer
  std::chrono::milliseconds memory_wait_timeout{60'000};  // for a share of the memory
};

inline constexpr size_t kReceiveBytes = 64 * 1024;

// What the connections of one server have in common. The I/O thread alone touches it, but for the
// handler, the metrics and the pools. Borrows all of it.
struct ConnectionContext {
  const Limits& limits;
  Handler& handler;
  Metrics& metrics;
  MemoryBudget& budget;
  boost::asio::io_context& io;
  boost::asio::thread_pool& quick;  // for Handler::Handle
  boost::asio::thread_pool& slow;   // for bodies and deferred answers

  // The open connections, and how each is told to end: at once where it is idle, else behind the
  // request in hand.
  std::unordered_map<uint64_t, std::function<void()>> open = {};
  uint64_t last_id = 0;
  bool is_draining = false;
  std::function<void()> on_none_open = {};  // called while draining
};

// Serves the requests of a connected TCP socket, one after the other, and closes it. Returns at
// once; the connection lives in the context's event loop. Inside TLS unless `tls` is null, which is
// shared with the other connections of its time.
//
// An upload's bytes are asked of the client only as fast as its sink takes them, and a download's
// source is one chunk ahead of the client: so a slow client holds memory, which it took from the
// budget first, and no thread.
void OpenConnection(int socket,
                    bool is_ipv6,
                    std::shared_ptr<boost::asio::ssl::context> tls,
                    ConnectionContext& context);

}  // namespace slipstream::gateway::http
