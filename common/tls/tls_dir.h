#pragma once

#include <string>

#include "common/status/status.h"

// The directory that a process's --tls-dir names, as `slipstream certs` makes it:
//   ca.pem    certificates of the authorities whose word counts
//   host.pem  the process's own private key, and its certificate with those that lead from it to an
//             authority. One file, so that a rename replaces key and certificate at once.
// Both are looked at again while the process runs, and taken for new connections when they change.

namespace slipstream::tls {

std::string AuthorityFile(const std::string& tls_dir);
std::string HostFile(const std::string& tls_dir);

// Whether a connection can be made with what is there. Errors, each saying what to do: kNotFound,
// kPermissionDenied (not readable, or the key is readable by everybody), kInvalidArgument (not PEM,
// the key is not the certificate's, not signed by ca.pem, expired, not valid yet).
Status CheckTlsDir(const std::string& tls_dir);

}  // namespace slipstream::tls
