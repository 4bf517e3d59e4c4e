#pragma once

namespace slipstream::rpc {

// Keeps gRPC's library initialised for the rest of the process. It would otherwise shut itself down
// whenever its last channel or server goes, and then wait for a pending timer: up to ten seconds,
// in whatever thread let go of the object (gRPC 1.51). Called before anything of gRPC's is made.
void KeepLibrary();

}  // namespace slipstream::rpc
