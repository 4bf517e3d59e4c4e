#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/message.h>

#include "proto/dfs_master.pb.h"

#include "common/check/check.h"
#include "common/clock/manual_clock.h"
#include "dfs-master/master.h"
#include "dfs-master/master_handlers.h"
#include "dfs-master/memory_store.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/message_maker.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/tree_inspector.h"

// Requests of every kind to a master, one after the other, with time passing and restarts in
// between. Whatever they are, each is answered, the tree stays sound (TreeInspector), and a master
// that opens the same store says the same.

namespace slipstream::fuzz {
namespace {

using dfs::master::Master;
using dfs::master::MasterHandlers;
using dfs::master::MemoryStore;
using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::MethodDescriptor;

constexpr int kStepsMax = 64;
constexpr std::string_view kNodes[] = {"n1", "n2", "n3"};

// All calls that take one message, in the order of the protocol.
const std::vector<const MethodDescriptor*>& Methods() {
  static const auto* const kMethods = [] {
    auto* const methods = new std::vector<const MethodDescriptor*>;
    const auto* const file = dfs::v1::StatRequest::descriptor()->file();
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        const MethodDescriptor* const method = file->service(i)->method(j);
        if (!method->client_streaming()) methods->push_back(method);
      }
    }
    return methods;
  }();
  return *kMethods;
}

std::unique_ptr<Message> NewMessage(const google::protobuf::Descriptor& type) {
  return std::unique_ptr<Message>(MessageFactory::generated_factory()->GetPrototype(&type)->New());
}

class MasterProgram final {
 public:
  explicit MasterProgram(InputReader& reader) : reader_(reader) {
    options_.on_fatal = [](const Status& status) {
      SLIPSTREAM_CHECK(status.ok(), "fatal: {}", status.ToString());
    };
    // Some of the counting in the background, too.
    options_.quota_count_inline_max = 3;
    maker_.AddWords("path",
                    {"/", "/a", "/a/b", "/a/b/c", "/d", "/d/e", "/d/e/f", "/g", "/a/../b", "d"});
    maker_.AddWords("name", {"a", "b", "c", "d"});
    maker_.AddWords("owner", {"w1", "w2", "w3", "w"});
    maker_.AddWords("node_id", {"n1", "n2", "n3", "n1:1"});
    maker_.AddWords("address", {"n1:1", "n2:1", "n3:1"});
    maker_.AddWords("request_id", {"", "r1", "r2"});
    maker_.AddWords("failure_domain", {"", "x", "y"});
    Open();
    for (const std::string_view node : kNodes)
      StartNode(std::string(node));
  }

  void Run() {
    for (int step = 0; step < kStepsMax && !reader_.is_empty(); ++step)
      Step();
    Restart();
  }

 private:
  void Open() {
    auto opened = Master::Open(options_, store_, clock_);
    SLIPSTREAM_CHECK(opened.ok(), "{}", opened.status().ToString());
    master_ = std::move(*opened);
    handlers_ = std::make_unique<MasterHandlers>(*master_, "fuzz");
  }

  void Step() {
    switch (const uint8_t choice = reader_.Byte(); choice % 16) {
      case 0:
        clock_.Advance(std::chrono::milliseconds(reader_.Number() % 4'000'000));
        SLIPSTREAM_CHECK(master_->Tick().ok(), "a tick failed");
        return;
      case 1:
        return Restart();
      case 2:
        return PutFile();
      case 3:
        return Report();
      case 4: {
        const MethodDescriptor& method = *reader_.Pick(Methods());
        (void)handlers_->Dispatch(NameOf(method), reader_.Text());
        return;
      }
      default: {
        const MethodDescriptor& method = *reader_.Pick(Methods());
        const auto request = NewMessage(*method.input_type());
        maker_.Make(reader_, *request);
        Call(method, *request);
      }
    }
  }

  static std::string NameOf(const MethodDescriptor& method) {
    return "/" + method.service()->full_name() + "/" + method.name();
  }
  static const MethodDescriptor& FindMethod(const std::string& name) {
    const MethodDescriptor* const method =
        DescriptorPool::generated_pool()->FindMethodByName("slipstream.dfs.v1." + name);
    SLIPSTREAM_CHECK(method != nullptr, "no method {}", name);
    return *method;
  }

  // The answer, or null.
  std::unique_ptr<Message> Call(const MethodDescriptor& method, const Message& request) {
    const std::string bytes = request.SerializeAsString();
    const Result<std::string> answer = handlers_->Dispatch(NameOf(method), bytes);
    if (!NewMessage(*method.input_type())->ParseFromString(bytes)) {
      SLIPSTREAM_CHECK(!answer.ok(), "{} answers what is no request of it", method.name());
      return nullptr;  // a text that is not UTF-8
    }
    if (!answer.ok()) {
      SLIPSTREAM_CHECK(answer.status().code() != Code::kInternal &&
                           answer.status().code() != Code::kDataLoss &&
                           answer.status().code() != Code::kUnknown,
                       "{} of {}: {}",
                       method.name(),
                       request.ShortDebugString(),
                       answer.status().ToString());
      return nullptr;
    }
    auto response = NewMessage(*method.output_type());
    SLIPSTREAM_CHECK(response->ParseFromString(*answer), "not an answer of {}", method.name());
    maker_.Learn(*response);
    return response;
  }
  template <class Response>
  Response Ask(const std::string& method, const Message& request) {
    Response response;
    if (const auto answer = Call(FindMethod(method), request); answer != nullptr) {
      response.CopyFrom(*answer);
    }
    return response;
  }

  void StartNode(const std::string& node) {
    dfs::v1::RegisterRequest request;
    request.mutable_node()->set_node_id(node);
    request.mutable_node()->set_address(node + ":1");
    const auto answer = Ask<dfs::v1::RegisterResponse>("DfsNodeRegistry.Register", request);
    dfs::v1::HeartbeatRequest beat;
    beat.set_node_id(node);
    beat.set_session(answer.session());
    beat.set_capacity_bytes(uint64_t{1} << 40);
    beat.set_free_bytes(uint64_t{1} << 40);
    (void)Ask<dfs::v1::HeartbeatResponse>("DfsNodeRegistry.Heartbeat", beat);
    (void)ReportFrom(node, answer.session(), {});
  }

  Status ReportFrom(const std::string& node,
                    uint64_t session,
                    const std::vector<dfs::v1::Block>& blocks) {
    auto report = handlers_->BeginBlockReport();
    dfs::v1::ReportBlocksRequest chunk;
    chunk.set_node_id(node);
    chunk.set_session(session);
    for (const dfs::v1::Block& block : blocks)
      *chunk.add_replicas()->mutable_block() = block;
    RETURN_IF_ERROR(report.Add(chunk));
    dfs::v1::ReportBlocksResponse response;
    return report.Finish(response);
  }

  // A node comes with some of the blocks there are, under a new session.
  void Report() {
    const std::string node(reader_.Pick(kNodes));
    dfs::v1::RegisterRequest request;
    request.mutable_node()->set_node_id(node);
    request.mutable_node()->set_address(node + ":1");
    const auto answer = Ask<dfs::v1::RegisterResponse>("DfsNodeRegistry.Register", request);
    std::vector<dfs::v1::Block> held;
    const uint8_t mask = reader_.Byte();
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if ((mask >> i % 8 & 1) != 0) held.push_back(blocks_[i]);
    }
    (void)ReportFrom(node, answer.session(), held);
  }

  // A file in one step, as a client that puts one does it; chance seldom finds all of it.
  void PutFile() {
    dfs::v1::AcquireAppenderRequest acquire;
    acquire.set_owner(reader_.Bit() ? "w1" : "put");
    const auto acquired =
        Ask<dfs::v1::AcquireAppenderResponse>("DfsMaster.AcquireAppender", acquire);
    dfs::v1::AllocateBlocksRequest allocate;
    allocate.set_writer(acquire.owner());
    allocate.set_count(1 + reader_.Byte() % 3);
    allocate.set_stored_bytes(100);
    const auto allocated =
        Ask<dfs::v1::AllocateBlocksResponse>("DfsMaster.AllocateBlocks", allocate);
    dfs::v1::PrepareRequest prepare;
    prepare.set_commit(reader_.Bit());
    dfs::v1::AppenderEpoch& epoch = *prepare.add_appenders();
    epoch.set_owner(acquire.owner());
    epoch.set_incarnation(acquired.incarnation());
    epoch.set_epoch(acquired.committed().epoch() + 1);
    *epoch.mutable_committed() = acquired.committed();
    dfs::v1::FileAppend& file = *epoch.add_files();
    static constexpr std::string_view kPaths[] = {"/a/b/c", "/a/f", "/d/e", "/g"};
    file.set_new_path(std::string(reader_.Pick(kPaths)));
    file.set_close(reader_.Bit());
    for (uint32_t i = 0; i < allocate.count() && allocated.nodes_size() > 0; ++i) {
      dfs::v1::PreparedBlock& block = *file.add_blocks();
      block.mutable_block()->set_block_id(allocated.first_block_id() + i);
      block.mutable_block()->set_raw_bytes(1 + reader_.Byte());
      block.mutable_block()->set_stored_bytes(60);
      block.mutable_block()->set_crc32c(7);
      for (const dfs::v1::NodeAddress& node : allocated.nodes())
        block.add_holder_node_ids(node.node_id());
      blocks_.push_back(block.block());
    }
    maker_.Learn(prepare);
    (void)Ask<dfs::v1::PrepareResponse>("DfsMaster.Prepare", prepare);
  }

  void Restart() {
    const std::string before = InspectTree(*handlers_);
    handlers_.reset();
    master_.reset();
    if (reader_.Bit()) store_.Crash();
    Open();
    const std::string after = InspectTree(*handlers_);
    SLIPSTREAM_CHECK(before == after, "before:\n{}\nafter:\n{}", before, after);
  }

  InputReader& reader_;
  Master::Options options_;
  MemoryStore store_;
  ManualClock clock_;
  std::unique_ptr<Master> master_;
  std::unique_ptr<MasterHandlers> handlers_;
  MessageMaker maker_;
  std::vector<dfs::v1::Block> blocks_;  // of files that were put
};

void Run(std::string_view input) {
  InputReader reader(input);
  MasterProgram(reader).Run();
}

std::vector<std::string> Seeds() {
  // Files put, committed and closed; then each call once, with nothing but zeros behind it.
  const std::string put("\2\1\1\1\0\1\x20\x20\2\0\0\1\1\1\x10", 15);
  std::vector<std::string> seeds = {put, put + std::string("\3\1\xff\0\xff\1\1", 7)};
  for (size_t i = 0; i < Methods().size(); ++i) {
    std::string call = put + "\5" + static_cast<char>(i);
    for (int j = 0; j < 24; ++j)
      call += static_cast<char>(j % 5);
    seeds.push_back(call + "\1" + put);
  }
  return seeds;
}

}  // namespace

const Target kMasterRequests{.name = "master_requests", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
