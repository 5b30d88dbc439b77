// Owns the seed of random tests: fresh on every run, fixed by TONNAGE_TEST_SEED, always printed.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string>

namespace tonnage::testing {

// The seed of this test program: the environment variable TONNAGE_TEST_SEED (a whole number) where
// it is set, else drawn once from std::random_device. Each test that asks prints it once and
// records it as a property, so that a failure can be repeated. Throws std::invalid_argument when
// the variable is set to anything else than a number.
inline std::uint64_t test_seed() {
  static const std::uint64_t seed = [] {
    if (const char* text = std::getenv("TONNAGE_TEST_SEED"); text != nullptr && *text != '\0') {
      std::size_t used = 0;
      const std::string value(text);
      const std::uint64_t parsed = std::stoull(value, &used, 0);
      if (used != value.size()) throw std::invalid_argument("TONNAGE_TEST_SEED: " + value);
      return parsed;
    }
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
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
