#include "producer/json/json_text.h"

#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace slipstream::producer {
namespace {

std::string Number(std::string_view text) {
  std::string out;
  AppendJsonNumber(text, out);
  return out;
}

std::string String(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

TEST(JsonTextTest, NumbersAreSpelledAsJsonWantsThem) {
  EXPECT_EQ(Number("517.0"), "517");
  EXPECT_EQ(Number("0900"), "900");
  EXPECT_EQ(Number("-5.00"), "-5");
  EXPECT_EQ(Number("+7"), "7");
  EXPECT_EQ(Number("0"), "0");
  EXPECT_EQ(Number("-0.0"), "0");
  EXPECT_EQ(Number("1.50"), "1.5");
  EXPECT_EQ(Number(".5"), "0.5");
  EXPECT_EQ(Number("-.25"), "-0.25");
  EXPECT_EQ(Number("7."), "7");
  EXPECT_EQ(Number("100"), "100");
}

TEST(JsonTextTest, TextIsEscaped) {
  EXPECT_EQ(String("United Air Lines Inc."), "\"United Air Lines Inc.\"");
  EXPECT_EQ(String("a\"b\\c\n\r\t\x01"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\"");
  EXPECT_EQ(String("Zürich"), "\"Zürich\"");
  EXPECT_EQ(String("a\xff"
                   "b\xc3"),
            "\"a\xef\xbf\xbd"
            "b\xef\xbf\xbd\"");
}

TEST(JsonTextTest, WhateverTheBytesItIsJson) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    for (auto i = random() % 12; i > 0; --i)
      bytes.push_back(static_cast<char>(random()));

    EXPECT_TRUE(nlohmann::json::accept(String(bytes))) << round;
  }
}

}  // namespace
}  // namespace slipstream::producer
