#pragma once

#include <string>

namespace slipstream::access {

// The user that this process runs as, by the machine's user database; his number, if that does not
// have him.
std::string UserOfProcess();

// In whose name it asks others: HADOOP_USER_NAME, as HDFS's own clients take it, else the above.
std::string ActingUser();

}  // namespace slipstream::access
