#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/access/role.h"
#include "common/rpc/authenticator.h"

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

// What connections are made with: TLS 1.2 or later, where both sides prove themselves by a
// certificate (common/tls/tls_dir.h), a client perhaps by a token instead, or, where `tls_dir` is
// empty, nothing at all. A process with TLS and one without do not understand each other.
//
// The files are looked at once a second: new connections are made with what is there then, those
// that stand go on. Ownership: each object reads its files on a thread of its own; make one for
// many channels. Threads: thread-safe.

namespace slipstream::rpc {

// Of a client, that takes a server whose certificate names the host it was asked for. Shows its own
// where it has one.
std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(const std::string& tls_dir);

// The role that a call of a method ("/package.Service/Method") needs.
using RoleNeeded = access::Role (*)(std::string_view method);

// Whether the handler of a method asks by itself what a caller may do, whom nobody needs to know.
using AsksItself = bool (*)(std::string_view method);

// Whom a server takes.
struct ServerAccess {
  RoleNeeded role_needed = nullptr;  // null: that of kRead for all
  AsksItself asks_itself = nullptr;  // null: none does
  // Knows callers by tokens, too; null: by certificates alone.
  std::shared_ptr<const Authenticator> authenticator;
};

// Of a server, that takes clients with a certificate of its authority, or without one where they
// may show a token or need to show nothing; one of another authority is never taken. Every call of
// a known caller is asked for the role that it needs; others end with kPermissionDenied, those of
// callers unknown with kUnauthenticated. Without TLS nobody is asked for anything.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const std::string& tls_dir,
                                                               const ServerAccess& access);

}  // namespace slipstream::rpc
