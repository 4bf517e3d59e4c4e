#include "processor/engine/stage_layout.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace slipstream::sql {
namespace {

using Target = OperatorGraph::Target;

class Layout {
 public:
  Layout(const OperatorGraph& graph, const std::vector<std::vector<TablePtr>>& sources)
      : graph_(graph), sources_(sources), groups_(graph.exchanges().size()) {
    std::iota(groups_.begin(), groups_.end(), size_t{0});
  }

  StageLayout Make() {
    JoinWhereRowsMeet();
    NumberStages();
    StageLayout layout;
    layout.repartitions.resize(stage_count_);
    layout.source_sends.resize(sources_.size());
    layout.stage_sends.resize(1 + stage_count_);
    layout.is_stateful.resize(1 + stage_count_);
    // Tables that are read together have times of their own, which are kept.
    layout.is_stateful[0] = std::any_of(
        sources_.begin(), sources_.end(), [](const auto& tables) { return tables.size() > 1; });
    for (size_t i = 0; i < graph_.exchanges().size(); ++i) {
      runtime::RepartitionSpec& spec = layout.repartitions[stages_[i] - 1];
      spec.exchanges.push_back({.number = i, .sources = {}, .stages = {}});
      // Whatever is to be in one place with all rows of another exchange is there as well.
      spec.is_single = spec.is_single || graph_.exchanges()[i].keys.empty();
    }
    for (const OperatorGraph::Scan& scan : graph_.scans()) {
      const size_t source = SourceOf(scan);
      const Target end = Follow(scan.next, 0, layout);
      if (end.is_sink) AddOnce(WritersOf(layout, end.index).sources, source);
      if (!end.is_exchange) continue;
      AddOnce(layout.source_sends[source], end.index);
      AddOnce(SpecOf(layout, end.index).sources, source);
    }
    for (size_t i = 0; i < graph_.exchanges().size(); ++i) {
      const Target end = Follow(graph_.exchanges()[i].next, stages_[i], layout);
      if (end.is_sink) AddOnce(WritersOf(layout, end.index).stages, stages_[i]);
      if (!end.is_exchange) continue;
      AddOnce(layout.stage_sends[stages_[i]], end.index);
      AddOnce(SpecOf(layout, end.index).stages, stages_[i]);
    }
    return layout;
  }

 private:
  template <class Number>
  static void AddOnce(std::vector<Number>& numbers, Number number) {
    if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) {
      numbers.push_back(number);
    }
  }

  size_t SourceOf(const OperatorGraph::Scan& scan) const {
    const auto found = std::find_if(sources_.begin(), sources_.end(), [&](const auto& tables) {
      return std::find(tables.begin(), tables.end(), scan.table) != tables.end();
    });
    return static_cast<size_t>(found - sources_.begin());
  }
  static SinkWriters& WritersOf(StageLayout& layout, size_t sink) {
    if (layout.sink_writers.size() <= sink) layout.sink_writers.resize(sink + 1);
    return layout.sink_writers[sink];
  }

  runtime::RepartitionSpec::Exchange& SpecOf(StageLayout& layout, size_t exchange) const {
    std::vector<runtime::RepartitionSpec::Exchange>& all =
        layout.repartitions[stages_[exchange] - 1].exchanges;
    return *std::find_if(
        all.begin(), all.end(), [&](const auto& one) { return one.number == exchange; });
  }

  // Where rows that come in at `target` leave the stage; notes what state they meet on the way.
  Target Follow(Target target, uint32_t stage, StageLayout& layout) const {
    while (target.is_node()) {
      const OperatorGraph::Node& node = graph_.nodes()[target.index];
      if (node.operation->is_stateful()) layout.is_stateful[stage] = true;
      target = node.next;
    }
    return target;
  }

  // Exchanges that feed the same operator are of one group.
  void JoinWhereRowsMeet() {
    constexpr size_t kNobody = SIZE_MAX;
    std::vector<size_t> first(graph_.nodes().size(), kNobody);
    for (size_t i = 0; i < graph_.exchanges().size(); ++i) {
      for (Target at = graph_.exchanges()[i].next; at.is_node();
           at = graph_.nodes()[at.index].next) {
        if (first[at.index] == kNobody) {
          first[at.index] = i;
        } else {
          const size_t from = groups_[i];
          const size_t to = groups_[first[at.index]];
          std::replace(groups_.begin(), groups_.end(), from, to);
        }
      }
    }
  }

  // How many exchanges lie behind one, on the way to the sink; the same within a group.
  size_t Depth(size_t exchange) const {
    Target at = graph_.exchanges()[exchange].next;
    while (at.is_node())
      at = graph_.nodes()[at.index].next;
    return at.is_exchange ? 1 + Depth(at.index) : 0;
  }

  // A stage sends only to later ones: those far from the sinks come first.
  void NumberStages() {
    std::set<std::pair<size_t, size_t>> ordered;  // depth, descending; group
    for (size_t i = 0; i < groups_.size(); ++i)
      ordered.emplace(SIZE_MAX - Depth(i), groups_[i]);
    stages_.resize(groups_.size());
    for (const auto& [depth, group] : ordered) {
      ++stage_count_;
      for (size_t i = 0; i < groups_.size(); ++i) {
        if (groups_[i] == group) stages_[i] = stage_count_;
      }
    }
  }

  const OperatorGraph& graph_;
  const std::vector<std::vector<TablePtr>>& sources_;
  std::vector<size_t> groups_;    // by exchange: the first of those that its rows meet
  std::vector<uint32_t> stages_;  // by exchange
  uint32_t stage_count_ = 0;      // behind exchanges
};

}  // namespace

StageLayout LayStages(const OperatorGraph& graph,
                      const std::vector<std::vector<TablePtr>>& sources) {
  return Layout(graph, sources).Make();
}

}  // namespace slipstream::sql
