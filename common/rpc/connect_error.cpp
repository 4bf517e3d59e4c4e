#include "common/rpc/connect_error.h"

#include <array>
#include <string_view>

#include "common/tls/tls_dir.h"

namespace slipstream::rpc {
namespace {

// What gRPC 1.51 and OpenSSL say of a handshake, and what that means to whoever reads it.
struct Symptom {
  std::string_view text;
  std::string_view meaning;
};
constexpr std::string_view kClosed = "Socket closed";
constexpr std::array<Symptom, 4> kOfTls = {{
    {"certificate verify failed",
     "its certificate has expired or is not signed by the authority in "},
    {"Hostname Verification Check failed",
     "its certificate is for other names than that (`slipstream certs --force HOST=NAME,…` makes "
     "one with more), by "},
    {"wrong version number", "it speaks no TLS, but we do: start it with --tls-dir too, as with "},
    {kClosed,
     "it took our connection and closed it: if it goes on so, it does not accept the certificate "
     "beside "},
}};

}  // namespace

Status ExplainConnectError(Status status, const std::string& tls_dir) {
  if (status.code() != Code::kUnavailable) return status;
  const std::string_view said = status.message();
  // Not of calls that broke off on a connection that stood.
  if (said.find("failed to connect") == std::string_view::npos) return status;
  std::string why;
  if (tls_dir.empty()) {
    if (said.find(kClosed) == std::string_view::npos) return status;
    why =
        "no connection: it took ours and closed it: if it goes on so, it wants TLS: give --tls-dir";
  } else {
    for (const Symptom& symptom : kOfTls) {
      if (said.find(symptom.text) == std::string_view::npos) continue;
      why.append("no TLS connection: ").append(symptom.meaning).append(tls::AuthorityFile(tls_dir));
      break;
    }
    if (why.empty()) return status;
  }
  return Status(Code::kUnavailable, std::move(why));
}

}  // namespace slipstream::rpc
