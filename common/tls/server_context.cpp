#include "common/tls/server_context.h"

#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>
#include <spdlog/logger.h>

#include "common/log/log.h"
#include "common/tls/tls_dir.h"

namespace slipstream::tls {

namespace ssl = boost::asio::ssl;

ServerContext::Versions ServerContext::LookAt() const {
  return {.host = VersionOf(HostFile(tls_dir_)), .authority = VersionOf(AuthorityFile(tls_dir_))};
}

Status ServerContext::Load() {
  read_ = LookAt();
  RETURN_IF_ERROR(CheckTlsDir(tls_dir_));
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  const std::string host = HostFile(tls_dir_);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_options(ssl::context::default_workarounds | SSL_OP_NO_RENEGOTIATION, error);
  if (!error) context->use_certificate_chain_file(host, error);
  if (!error) context->use_private_key_file(host, ssl::context::pem, error);
  if (!error && clients_ == ClientCertificate::kRequired) {
    context->load_verify_file(AuthorityFile(tls_dir_), error);
    if (!error) {
      context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
    }
    // Sessions would be resumed without the certificate being looked at again.
    SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context->native_handle(), 0);
    context->set_options(SSL_OP_NO_TICKET, error);
  }
  if (error) return InvalidArgument("TLS with " + tls_dir_ + ": " + error.message());
  context_ = std::move(context);
  return {};
}

Result<std::unique_ptr<ServerContext>> ServerContext::Open(const std::string& tls_dir,
                                                           ClientCertificate clients) {
  std::unique_ptr<ServerContext> context(new ServerContext(tls_dir, clients));
  RETURN_IF_ERROR(context->Load());
  return context;
}

std::shared_ptr<ssl::context> ServerContext::Current() {
  if (LookAt() == read_) return context_;
  if (const Status status = Load(); !status.ok()) {
    log::Get("tls")->warn("certificate_not_taken error={}", log::Quoted(status.ToString()));
  } else {
    log::Get("tls")->info("certificate_taken dir={}", log::Quoted(tls_dir_));
  }
  return context_;
}

}  // namespace slipstream::tls
