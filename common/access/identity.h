#pragma once

#include <string>

#include "common/access/role.h"

namespace slipstream::access {

// Who somebody is to a server, by a certificate or a token.
struct Identity {
  std::string name;
  Role role = Role::kRead;

  // Whether he is believed when he asks in another's name: daemons act for those that they serve.
  bool MayActForOthers() const { return role >= Role::kAdmin; }
};

}  // namespace slipstream::access
