#pragma once

#include <string>
#include <vector>

namespace slipstream::sql {

// Every function that may be called by its name, scalar or aggregate, in order: what SHOW FUNCTIONS
// lists. Operators, which have names only inside, are left out.
std::vector<std::string> FunctionNames();

}  // namespace slipstream::sql
