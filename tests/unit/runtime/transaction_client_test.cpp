// How long a worker's transactions may run.

#include "processor/runtime/transaction_client.h"

#include <gtest/gtest.h>

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

TEST(TransactionClientTest, ATransactionNearItsTimeoutGivesTheNextProducerLonger) {
  JobContext context;
  context.options.session_timeout = milliseconds(10'000);
  TransactionClient transactions(context, "me", [] {});

  EXPECT_FALSE(transactions.OnTransactionOver(milliseconds(8'999)));
  EXPECT_EQ(transactions.timeout(), milliseconds(10'000));
  EXPECT_TRUE(transactions.OnTransactionOver(milliseconds(9'000)));
  EXPECT_EQ(transactions.timeout(), milliseconds(40'000));
}

// Several transactions of one producer that come near say it once.
TEST(TransactionClientTest, TheTimeoutGrowsByProducersNotByTransactions) {
  JobContext context;
  context.options.session_timeout = milliseconds(10'000);
  TransactionClient transactions(context, "me", [] {});

  EXPECT_TRUE(transactions.OnTransactionOver(milliseconds(9'000)));
  EXPECT_TRUE(transactions.OnTransactionOver(milliseconds(20'000)));

  EXPECT_EQ(transactions.timeout(), milliseconds(40'000));
}

TEST(TransactionClientTest, ItIsNeverMoreThanBrokersAllow) {
  JobContext context;
  context.options.session_timeout = milliseconds(300'000);
  TransactionClient transactions(context, "me", [] {});

  EXPECT_TRUE(transactions.OnTransactionOver(milliseconds(300'000)));

  EXPECT_EQ(transactions.timeout(), TransactionClient::kTimeoutMax);
}

}  // namespace
}  // namespace slipstream::runtime
