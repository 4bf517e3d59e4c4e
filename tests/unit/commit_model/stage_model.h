#pragma once

#include <cstdint>

#include "tests/unit/commit_model/search.h"

// A model of what travels between two stages, in the manner of commit_model.h.
//
// Two senders read an input partition each and hold its rows until they commit; then, in one
// transaction, the rows go to the repartition topic and behind them the sender's mark, its
// watermark. A receiver reads the topic, counts the rows and fires its one window when the least of
// the senders' watermarks has reached the window's end; its state, its output and its offset of the
// topic are one transaction (how that comes to be is commit_model.h's business, so it is one step
// here). Senders and receiver may die between any two steps, transactions may be aborted, the
// markers of a decided transaction are written later, and whoever has committed deletes records.
//
// What must hold in every state: no row is counted twice; the window fires when all its rows are
// there; no record is gone that will be read again. And where nothing more can happen, the window
// has fired.

namespace slipstream::commit_model {

struct StageRules {
  // The receiver reads up to the last stable offset and passes over what was aborted; without the
  // rule, whatever is in the log.
  bool reads_committed = true;
  // The receiver's offset is in the transaction of its state and output; without the rule, in one
  // of its own, afterwards.
  bool offset_with_state = true;
  // Records are deleted below the committed offset; without the rule, below what was read.
  bool deletes_below_committed = true;
  // A sender's mark stands behind the rows of its transaction; without the rule, before them.
  bool marks_behind_rows = true;
  // Time stands still until every sender was heard of; without the rule, those that were count.
  bool waits_for_every_sender = true;
  // A sender that commits gives all rows that it holds; without the rule, it holds on to them until
  // its input has ended.
  bool gives_what_it_holds = true;
};

struct StageBounds {
  uint8_t rows = 2;             // of each sender
  uint8_t sender_failures = 1;  // crashes and aborts
  uint8_t receiver_crashes = 1;
};

Outcome ExploreStages(const StageRules& rules, const StageBounds& bounds);

}  // namespace slipstream::commit_model
