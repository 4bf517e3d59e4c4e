#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace grpc {
class Channel;
class ChannelCredentials;
class ClientContext;
}  // namespace grpc

namespace slipstream::rpc {

// Largest message either side takes. Data goes in pieces of 1 MiB, listings in pages.
constexpr size_t kMessageBytesMax = size_t{8} << 20;

struct ChannelOptions {
  // The pause between attempts to connect grows from the first to the second.
  std::chrono::milliseconds reconnect_backoff_min{100};
  std::chrono::milliseconds reconnect_backoff_max{1'000};
  // An attempt to connect that takes longer, with the first exchange of HTTP/2, has failed.
  std::chrono::milliseconds connect_timeout{3'000};
  // A peer that has vanished without closing (power, cable) is noticed after about the sum.
  std::chrono::milliseconds keepalive_time{10'000};
  std::chrono::milliseconds keepalive_timeout{5'000};
};

// A channel to `address` (HOST:PORT); see credentials.h. Makes no connection yet and does not
// block; calls on it fail with kUnavailable while the peer is away, and it reconnects by itself.
//
// Every call of this function gives a TCP connection of its own (gRPC would otherwise share one
// among all channels to a peer); keep the channel for as long as the peer matters. Proxies from
// the environment are not used.
// Threads: the channel is thread-safe. Ownership: shared with the stubs made from it.
std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& address,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    const ChannelOptions& options = {});
// The same without TLS.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address,
                                           const ChannelOptions& options = {});

// Gives a channel that lost its peer up to `timeout` to find it again, beginning at once, whatever
// the pause between attempts; returns at once where it is connected or was never used. Call it
// before a call that is tried again: gRPC looks at a socket that is connecting only while some call
// waits, and calls on a broken channel do not wait, so a peer that is back for long would go on
// looking as if it were away, for five seconds and more.
void AwaitReconnect(grpc::Channel& channel, std::chrono::milliseconds timeout);

// Every call has a deadline: this sets it, `timeout` from now, on the monotonic clock.
void SetTimeout(grpc::ClientContext& context, std::chrono::milliseconds timeout);

}  // namespace slipstream::rpc
