#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/access/role.h"

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

// What connections are made with: TLS 1.2 or later, where both sides prove themselves by a
// certificate (common/tls/tls_dir.h), or, where `tls_dir` is empty, nothing at all. A process with
// TLS and one without do not understand each other.
//
// The files are looked at once a second: new connections are made with what is there then, those
// that stand go on. Ownership: each object reads its files on a thread of its own; make one for
// many channels. Threads: thread-safe.

namespace slipstream::rpc {

// Of a client, that takes a server whose certificate names the host it was asked for.
std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(const std::string& tls_dir);

// The role that a call of a method ("/package.Service/Method") needs.
using RoleNeeded = access::Role (*)(std::string_view method);

// Of a server, that takes clients with a certificate of its authority. Every call is asked for the
// role that `role_needed` says; null: that of kRead. Calls of others end with kPermissionDenied.
// Without TLS nobody is asked for anything.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const std::string& tls_dir,
                                                               RoleNeeded role_needed);

}  // namespace slipstream::rpc
