#pragma once

#include <cstdint>

#include "tests/unit/commit_model/search.h"

// A model of the commit protocol, small enough to visit every state of it.
//
// Two workers, one input partition of a few records, Kafka's group coordinator and transaction
// coordinator, and the file system's master take steps in every possible order. A worker reads some
// records (or, without moving, fires its window), prepares them as an append, and commits both in
// one transaction; it may die between any two steps, lose its partition without noticing, or have
// its transaction timed out by the broker. Kafka answers a commit before its markers are written,
// and writes those of the offsets and of the changelog in either order.
//
// What must hold in every state: the committed output records, and the committed bytes of the file,
// are the input from its start, each record once, and the window fired at most once; a mark's
// state is the state at its position; the master can carry out every commit it is told. And where
// nothing more can happen, everything is in both.
//
// Method: breadth-first search over all interleavings, each state visited once; the shortest way to
// a broken state is what is printed. Each rule of the protocol can be taken out; then a broken
// state must be found, or the rule (or this model) is worth nothing.

namespace slipstream::commit_model {

struct Rules {
  // The new owner reads the changelog until the mark that the committed offset names; without the
  // rule, until the end of what is visible.
  bool restores_to_the_mark = true;
  // AcquireAppender leaves prepared candidates alone; without the rule it discards them.
  bool acquire_discards_nothing = true;
  // Every transaction carries the task's offset, moved or not; without the rule, only if moved.
  bool offsets_in_every_transaction = true;
  // Offsets are sent with the group's generation as it was at the assignment; without the rule, as
  // it is at the time.
  bool metadata_from_assignment = true;
  // The new owner waits while offsets of an undecided transaction stand on the partition.
  bool waits_for_stable_offsets = true;
  // Commit names the pair that Kafka recorded; without the rule, the newest candidate of the epoch.
  bool commit_names_the_incarnation = true;
};

// How much may happen. Every number multiplies the states.
struct Bounds {
  uint8_t records = 2;
  uint8_t crashes = 1;
  uint8_t steals = 2;    // the partition goes to the other worker while its owner lives
  uint8_t timeouts = 1;  // transactions that the broker aborts
};

// Visits every reachable state, or stops at the first that breaks what must hold.
Outcome Explore(const Rules& rules, const Bounds& bounds);

}  // namespace slipstream::commit_model
