#include "processor/state/slot.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace slipstream::runtime {
namespace {

class SlotTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/slipstream-slots-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::filesystem::path dir_;
};

TEST_F(SlotTest, TheNameOutlivesItsHolder) {
  const std::string name = Slot::Take(dir_, "job").value()->name();

  EXPECT_TRUE(name.starts_with("job-"));
  EXPECT_EQ(Slot::Take(dir_, "job").value()->name(), name);
}

TEST_F(SlotTest, NoTwoHoldersShareOne) {
  const auto first = Slot::Take(dir_, "job").value();
  const auto second = Slot::Take(dir_, "job").value();
  EXPECT_NE(first->name(), second->name());
}

TEST_F(SlotTest, TheFirstFreeOneIsTaken) {
  auto first = Slot::Take(dir_, "job").value();
  const auto second = Slot::Take(dir_, "job").value();
  const std::string name = first->name();
  first.reset();
  EXPECT_EQ(Slot::Take(dir_, "job").value()->name(), name);
}

TEST_F(SlotTest, JobsHaveTheirOwn) {
  EXPECT_NE(Slot::Take(dir_, "a").value()->name(), Slot::Take(dir_, "b").value()->name());
}

TEST_F(SlotTest, ADamagedFileIsNotGuessedAt) {
  std::filesystem::create_directories(dir_ / "job.slots");
  std::ofstream(dir_ / "job.slots" / "0") << "not a uuid\n";
  EXPECT_EQ(Slot::Take(dir_, "job").status().code(), Code::kDataLoss);
}

TEST_F(SlotTest, NamesThatAreNoFileNamesAreRefused) {
  for (const char* name : {"", "a/b", "..", ".hidden"}) {
    EXPECT_EQ(Slot::Take(dir_, name).status().code(), Code::kInvalidArgument) << name;
  }
}

}  // namespace
}  // namespace slipstream::runtime
