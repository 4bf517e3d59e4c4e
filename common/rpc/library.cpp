#include "common/rpc/library.h"

#include <grpc/grpc.h>

namespace slipstream::rpc {

void KeepLibrary() {
  [[maybe_unused]] static const bool is_kept = [] {
    grpc_init();
    return true;
  }();
}

}  // namespace slipstream::rpc
