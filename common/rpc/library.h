#pragma once

#include <cstddef>

namespace slipstream::rpc {

// Keeps gRPC's library initialised for the rest of the process. It would otherwise shut itself down
// whenever its last channel or server goes, and then wait for a pending timer: up to ten seconds,
// in whatever thread let go of the object (gRPC 1.51). What gRPC has to say goes to our log, at
// level debug. Called before anything of gRPC's is made.
void KeepLibrary();

// Makes the process keep the memory of messages and buffers that are let go, up to `bytes` at the
// end of each of the allocator's arenas (there are at most eight for each core), for the next ones.
// For processes that move data: memory that goes back to the kernel comes as cleared pages again,
// which costs more than to copy into it. To be called before the first thread is made.
void KeepMessageMemory(size_t bytes);

}  // namespace slipstream::rpc
