#include "processor/engine/graph_run.h"

#include <algorithm>
#include <string>
#include <utility>

namespace slipstream::sql {

class GraphRun::NodeOutput final : public OperatorOutput {
 public:
  NodeOutput(GraphRun& run, size_t number)
      : run_(run), number_(number), node_(run.graph_.nodes()[number]) {}

  Status Emit(RowBatch rows) override { return run_.Push(node_.next, std::move(rows)); }
  Status Reject(const RowBatch& from, const RowErrors& errors) override {
    return run_.host_.Reject(from, node_.inputs[from.input], errors);
  }
  Status DropLate(const RowBatch& from, const std::vector<uint32_t>& rows) override {
    return run_.host_.DropLate({.node = number_,
                                .input = from.input,
                                .watermark = run_.watermarks_[number_].least,
                                .count = rows.size(),
                                .from = &from,
                                .schema = &node_.inputs[from.input],
                                .rows = &rows});
  }
  Status CountLate(uint64_t rows) override {
    return run_.host_.DropLate({.node = number_, .count = rows});
  }

 private:
  GraphRun& run_;
  const size_t number_;
  const OperatorGraph::Node& node_;
};

// NOLINTNEXTLINE(performance-unnecessary-value-param): who takes them keeps them
Status GraphRun::Host::SendToExchange(size_t exchange, RowBatch /*rows*/) {
  return Internal("nobody takes the rows of exchange " + std::to_string(exchange));
}

GraphRun::GraphRun(const OperatorGraph& graph, Host& host, ScratchStore* scratch)
    : graph_(graph),
      host_(host),
      scratch_(scratch),
      flows_(graph.nodes().size()),
      exchange_watermarks_(graph.exchanges().size(), kWatermarkNone) {
  for (const OperatorGraph::Node& node : graph_.nodes()) {
    states_.push_back(node.operation->MakeState());
    if (scratch_ != nullptr && node.operation->is_stateful()) {
      std::unique_ptr<ScratchSpace> space = scratch_->NewSpace();
      if (node.operation->SpillTo(states_.back().get(), *space))
        spaces_.push_back(std::move(space));
    }
    watermarks_.push_back({.inputs = std::vector<int64_t>(node.inputs.size(), kWatermarkNone)});
  }
}

Status GraphRun::Push(OperatorGraph::Target target, RowBatch rows) {
  if (target.is_sink) return host_.WriteToSink(target.index, std::move(rows));
  if (target.is_exchange) return host_.SendToExchange(target.index, std::move(rows));
  const OperatorGraph::Node& node = graph_.nodes()[target.index];
  NodeOutput out(*this, target.index);
  flows_[target.index] += {.rows = rows.batch.rows, .bytes = ValueBytes(rows.batch)};
  rows.batch.now_us = now_us_;
  rows.places = places_;
  rows.input = target.input;
  return node.operation->Process(
      std::move(rows), watermarks_[target.index].least, states_[target.index].get(), out);
}

bool GraphRun::Raise(OperatorGraph::Target target, int64_t watermark) {
  if (target.is_exchange) {
    int64_t& known = exchange_watermarks_[target.index];
    known = std::max(known, watermark);
  }
  if (!target.is_node()) return false;
  Watermarks& known = watermarks_[target.index];
  known.inputs[target.input] = std::max(known.inputs[target.input], watermark);
  const int64_t least = *std::min_element(known.inputs.begin(), known.inputs.end());
  const bool has_risen = least > known.least;
  known.least = least;
  return has_risen;
}

Status GraphRun::Advance(OperatorGraph::Target target, int64_t watermark) {
  while (Raise(target, watermark)) {
    const OperatorGraph::Node& node = graph_.nodes()[target.index];
    const int64_t now = watermarks_[target.index].least;
    NodeOutput out(*this, target.index);
    RETURN_IF_ERROR(node.operation->Advance(now, states_[target.index].get(), out));
    watermark = node.operation->WatermarkBehind(now);
    target = node.next;
  }
  return {};
}

Status GraphRun::Advance(int64_t watermark) {
  for (size_t i = graph_.scans().size(); i-- > 0;)
    RETURN_IF_ERROR(Advance(graph_.scans()[i].next, watermark));
  for (size_t i = graph_.constants().size(); i-- > 0;)
    RETURN_IF_ERROR(Advance(graph_.constants()[i].next, watermark));
  return {};
}

Status GraphRun::EndEpoch() {
  for (size_t i = states_.size(); i-- > 0;) {
    const OperatorGraph::Node& node = graph_.nodes()[i];
    NodeOutput out(*this, i);
    RETURN_IF_ERROR(node.operation->EndEpoch(states_[i].get(), out));
  }
  return {};
}

int64_t GraphRun::NextTick() const {
  int64_t next = kNoTick;
  for (size_t i = 0; i < states_.size(); ++i)
    next = std::min(next, graph_.nodes()[i].operation->NextTick(states_[i].get()));
  return next;
}

Status GraphRun::Tick() {
  for (size_t i = states_.size(); i-- > 0;) {
    const OperatorGraph::Node& node = graph_.nodes()[i];
    if (node.operation->NextTick(states_[i].get()) > now_us_) continue;
    NodeOutput out(*this, i);
    RETURN_IF_ERROR(node.operation->Tick(now_us_, states_[i].get(), out));
  }
  return {};
}

int64_t GraphRun::SinkWatermark() const {
  int64_t least = kWatermarkEnd;
  for (size_t i = 0; i < states_.size(); ++i) {
    const OperatorGraph::Node& node = graph_.nodes()[i];
    if (!node.next.is_sink) continue;
    // Those of other tasks are at the end of time.
    least = std::min(least, node.operation->WatermarkBehind(watermarks_[i].least));
  }
  return least;
}

void GraphRun::SetWatermark(OperatorGraph::Target target, int64_t watermark) {
  while (Raise(target, watermark)) {
    const Operator& operation = *graph_.nodes()[target.index].operation;
    const int64_t now = watermarks_[target.index].least;
    operation.RestoreWatermark(states_[target.index].get(), now);
    watermark = operation.WatermarkBehind(now);
    target = graph_.nodes()[target.index].next;
  }
}

void GraphRun::SetWatermark(int64_t watermark) {
  for (const OperatorGraph::Scan& scan : graph_.scans())
    SetWatermark(scan.next, watermark);
  for (const OperatorGraph::Constants& constants : graph_.constants())
    SetWatermark(constants.next, watermark);
}

bool GraphRun::is_cache_overfull() const {
  return std::any_of(spaces_.begin(), spaces_.end(), [](const auto& space) {
    return space->cached_bytes() > space->cache_bytes() / 4 * 5;
  });
}

namespace {

// Puts the operator's number before the keys of its state.
class NumberedSink final : public StateSink {
 public:
  NumberedSink(StateSink& sink, size_t number) : sink_(sink) {
    prefix_.push_back(static_cast<char>(number >> 8));
    prefix_.push_back(static_cast<char>(number & 0xFF));
  }

  void Put(std::string_view key, std::string_view value) override {
    sink_.Put(std::string(prefix_).append(key), value);
  }
  void Delete(std::string_view key) override { sink_.Delete(std::string(prefix_).append(key)); }

 private:
  StateSink& sink_;
  std::string prefix_;
};

}  // namespace

void GraphRun::SaveChanges(StateSink& sink) {
  for (size_t i = 0; i < states_.size(); ++i) {
    const Operator& operation = *graph_.nodes()[i].operation;
    if (!operation.is_stateful()) continue;
    NumberedSink numbered(sink, i);
    operation.SaveChanges(states_[i].get(), numbered);
  }
}

Status GraphRun::Restore(std::string_view key, std::string_view value) {
  if (key.size() < 2) return DataLoss("saved state is damaged: key of an operator");
  const size_t number =
      (static_cast<size_t>(static_cast<uint8_t>(key[0])) << 8) | static_cast<uint8_t>(key[1]);
  if (number >= states_.size()) return DataLoss("saved state of an operator that is not there");
  return graph_.nodes()[number].operation->Restore(states_[number].get(), key.substr(2), value);
}

}  // namespace slipstream::sql
