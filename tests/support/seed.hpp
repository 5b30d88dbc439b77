// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Owns the seed of random tests: the same on every run, another where TONNAGE_TEST_SEED says so,
// always printed. tests/support/seed.py is its twin for tests in Python.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string>

namespace tonnage::testing {

inline constexpr std::uint64_t kFixedSeed = 1;

// Reads the value of TONNAGE_TEST_SEED: a whole number, or `fresh` for one drawn from
// std::random_device. Throws std::invalid_argument or std::out_of_range for anything else.
inline std::uint64_t parse_seed(const std::string& value) {
  if (value == "fresh") {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
  }
  std::size_t used = 0;
  const std::uint64_t seed = std::stoull(value, &used, 0);
  if (used != value.size()) throw std::invalid_argument("TONNAGE_TEST_SEED: " + value);
  return seed;
}

// The seed of this test program: kFixedSeed where TONNAGE_TEST_SEED is unset or empty, so that a
// failure repeats on every machine. Each test that asks prints the seed once and records it as a
// property, so that a failure under a fresh seed can be repeated, too.
inline std::uint64_t test_seed() {
  static const std::uint64_t seed = [] {
    const char* value = std::getenv("TONNAGE_TEST_SEED");
    return value != nullptr && *value != '\0' ? parse_seed(value) : kFixedSeed;
  }();
  static const ::testing::TestInfo* announced = nullptr;
  const ::testing::TestInfo* current = ::testing::UnitTest::GetInstance()->current_test_info();
  if (current == nullptr || current != announced) {
    announced = current;
    std::cout << "seed: " << seed << std::endl;
    if (current != nullptr) ::testing::Test::RecordProperty("seed", std::to_string(seed));
  }
  return seed;
}

}  // namespace tonnage::testing
