#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace slipstream::commit_model {

struct Outcome {
  size_t states = 0;
  std::string violation;           // empty: none
  std::vector<std::string> trace;  // the steps that lead there
};

// One thing that somebody may do.
template <class Step>
struct Action {
  const char* name;  // behind who does it; one that begins with ' belongs to the name
  bool (*take)(Step& step, size_t actor);
};

// Search: visits every state that can be reached, each once and the nearest first, or stops at the
// first that breaks what must hold, so that the way to it is the shortest.
//
// State       made of bytes alone: it is its own key in the set of states seen.
// Step        made by `step_at(state)`: takes one action, which is false if it cannot be taken
//             now; has state(), violation(), CheckState (called after every action) and CheckEnd
//             (where no action can be taken).
template <class State, class Step>
class Search {
 public:
  static_assert(std::has_unique_object_representations_v<State>, "a state is hashed as its bytes");

  // `who` names an actor: "worker 1".
  template <class Actions, class StepAt>
  Outcome Run(const State& initial,
              const Actions& actions,
              const char* who,
              size_t actors,
              const StepAt& step_at) {
    Outcome outcome;
    std::deque<const std::string*> frontier;
    frontier.push_back(&seen_.emplace(Key(initial), Origin{}).first->first);
    while (!frontier.empty() && outcome.violation.empty()) {
      const std::string* key = frontier.front();
      frontier.pop_front();
      const State state = FromKey(*key);
      bool is_end = true;
      for (const Action<Step>& action : actions) {
        for (size_t actor = 0; actor < actors && outcome.violation.empty(); ++actor) {
          Step step = step_at(state);
          if (!action.take(step, actor)) continue;
          is_end = false;
          step.CheckState();
          auto [it, is_new] = seen_.emplace(Key(step.state()), Origin{key, &action, actor});
          if (is_new) frontier.push_back(&it->first);
          if (step.violation().empty()) continue;
          outcome.violation = step.violation();
          outcome.trace = TraceTo(&it->first, who);
        }
      }
      if (is_end && outcome.violation.empty()) {
        Step end = step_at(state);
        end.CheckEnd();
        outcome.violation = end.violation();
        if (!end.violation().empty()) outcome.trace = TraceTo(key, who);
      }
    }
    outcome.states = seen_.size();
    return outcome;
  }

 private:
  struct Origin {
    const std::string* parent = nullptr;  // borrowed from the map's own keys, which do not move
    const Action<Step>* action = nullptr;
    size_t actor = 0;
  };

  static std::string Key(const State& state) {
    std::string key(sizeof(State), '\0');
    std::memcpy(key.data(), &state, sizeof(State));
    return key;
  }
  static State FromKey(const std::string& key) {
    State state;
    std::memcpy(&state, key.data(), sizeof(State));
    return state;
  }

  std::vector<std::string> TraceTo(const std::string* key, const char* who) const {
    std::vector<std::string> trace;
    while (key != nullptr) {
      const Origin& origin = seen_.at(*key);
      if (origin.action != nullptr) {
        std::string line = who + (" " + std::to_string(origin.actor));
        if (origin.action->name[0] != '\'') line += ' ';
        trace.push_back(line + origin.action->name);
      }
      key = origin.parent;
    }
    std::reverse(trace.begin(), trace.end());
    return trace;
  }

  std::unordered_map<std::string, Origin> seen_;
};

}  // namespace slipstream::commit_model
