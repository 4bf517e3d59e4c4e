#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace slipstream::tls {

// ServerStream: the bytes of an accepted connection, as they are or inside TLS; to Beast and Asio a
// stream like beast::tcp_stream, with its timeouts.
// Threads  as beast::tcp_stream: one at a time.
// Not final, because Asio derives from it where it looks for members.
class ServerStream {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;

  // `context` null: no TLS.
  ServerStream(boost::asio::ip::tcp::socket socket,
               std::shared_ptr<boost::asio::ssl::context> context)
      : context_(std::move(context)) {
    if (context_ == nullptr) {
      plain_.emplace(std::move(socket));
    } else {
      secured_.emplace(std::move(socket), *context_);
    }
  }

  bool is_over_tls() const { return secured_.has_value(); }
  executor_type get_executor() { return bottom().get_executor(); }
  boost::asio::ip::tcp::socket& socket() { return bottom().socket(); }
  template <class Duration>
  void expires_after(Duration time) {
    bottom().expires_after(time);
  }
  void expires_never() { bottom().expires_never(); }
  // At once, without the farewell of TLS.
  void close() { bottom().close(); }

  // Calls `then(error)` once bytes can go both ways: before the first read or write.
  template <class Then>
  void AsyncAccept(Then then) {
    if (secured_.has_value()) {
      secured_->async_handshake(boost::asio::ssl::stream_base::server, std::move(then));
    } else {
      then(boost::beast::error_code());
    }
  }
  // Tells the other side that nothing more comes, then calls `then()`: inside TLS when it has said
  // the same, or something else.
  template <class Then>
  void AsyncEnd(Then then) {
    if (!secured_.has_value()) {
      EndSending();
      return then();
    }
    secured_->async_shutdown([this, then = std::move(then)](const boost::beast::error_code&) {
      EndSending();
      then();
    });
  }

  template <class Buffers, class Then>
  void async_read_some(const Buffers& buffers, Then&& then) {
    if (secured_.has_value()) {
      secured_->async_read_some(buffers, std::forward<Then>(then));
    } else {
      plain_->async_read_some(buffers, std::forward<Then>(then));
    }
  }
  template <class Buffers, class Then>
  void async_write_some(const Buffers& buffers, Then&& then) {
    if (secured_.has_value()) {
      secured_->async_write_some(buffers, std::forward<Then>(then));
    } else {
      plain_->async_write_some(buffers, std::forward<Then>(then));
    }
  }

  // The connection below TLS.
  boost::beast::tcp_stream& bottom() {
    return secured_.has_value() ? secured_->next_layer() : *plain_;
  }

 private:
  void EndSending() {
    boost::beast::error_code ignored;
    socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  }

  const std::shared_ptr<boost::asio::ssl::context> context_;  // shared with those of its time
  // One of them.
  std::optional<boost::beast::tcp_stream> plain_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream>> secured_;
};

}  // namespace slipstream::tls
