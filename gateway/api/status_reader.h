#pragma once

#include <stop_token>

#include "common/kafka/types.h"
#include "gateway/api/state_board.h"

namespace slipstream::gateway::api {

// Puts what workers publish on the topic `slipstream-status` onto the board, until it is told to
// stop. `properties`: at least bootstrap.servers. A broker that is away, or a topic that is not
// there yet, is waited for. Blocks: give it a thread.
void ReadStatuses(const kafka::Properties& properties,
                  StateBoard& board,
                  const std::stop_token& stop);

}  // namespace slipstream::gateway::api
