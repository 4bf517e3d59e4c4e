#pragma once

#include <string>

#include "common/status/status.h"

// The directory that a process's --tls-dir names, as `slipstream certs` makes it:
//   ca.pem    certificates of the authorities whose word counts
//   host.pem  the process's own private key, and its certificate with those that lead from it to an
//             authority. One file, so that a rename replaces key and certificate at once.
// In that of a person ca.pem alone may be, and instead of host.pem
//   token     the token by which the master knows him (`slipstream certs --token`)
// All are looked at again while the process runs, and taken for new connections when they change.

namespace slipstream::tls {

std::string AuthorityFile(const std::string& tls_dir);
std::string HostFile(const std::string& tls_dir);
std::string TokenFile(const std::string& tls_dir);
// Whether there is a host.pem.
bool HasCertificate(const std::string& tls_dir);

// Whether a connection can be made with what is there. Errors, each saying what to do: kNotFound,
// kPermissionDenied (not readable, or the key is readable by everybody), kInvalidArgument (not PEM,
// the key is not the certificate's, not signed by ca.pem, expired, not valid yet).
Status CheckTlsDir(const std::string& tls_dir);

// The same of a person's directory, in which there may be no certificate: then ca.pem is looked at.
Status CheckClientTlsDir(const std::string& tls_dir);

}  // namespace slipstream::tls
