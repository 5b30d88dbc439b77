// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The dominance rule, compared with all pairs of options, and its cost.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/cpu_time.hpp"
#include "support/effort.hpp"
#include "support/seed.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {
namespace {

class Sampler {
 public:
  Sampler() : engine_(testing::test_seed()) {}

  std::int64_t whole(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }

  // One server's options, of cards of up to two types each and what limits share out.
  OptionTable next(std::int64_t num_options, std::int64_t types, std::int64_t limits,
                   std::int64_t most) {
    OptionTable table;
    table.capacity.assign(static_cast<std::size_t>(types), most);
    table.limits.assign(static_cast<std::size_t>(limits), most);
    table.priority = {1};
    for (std::int64_t i = 0; i < num_options; ++i) {
      const auto type = static_cast<std::int32_t>(whole(whole(0, 30) == 0 ? -1 : 0, types - 1));
      Option option{static_cast<double>(whole(0, most)), 0, 0, 1, whole(0, most), 0, 0, type};
      option.first_use = std::ssize(table.uses);
      const auto second = static_cast<std::int32_t>(whole(0, types - 1));
      if (second != type) table.uses.push_back({second, whole(0, most), 0, 0});
      for (std::int64_t l = 0; l < limits; ++l) {
        table.uses.push_back({static_cast<std::int32_t>(types + l), whole(0, most), 0, 0});
      }
      option.num_uses = static_cast<std::int32_t>(std::ssize(table.uses) - option.first_use);
      table.options.push_back(option);
    }
    sort_options(table.options);
    table.first = {0, num_options};
    return table;
  }

 private:
  std::mt19937_64 engine_;
};

std::vector<std::int64_t> amounts_of(const OptionTable& table, const Option& option) {
  std::vector<std::int64_t> amounts(table.capacity.size() + table.limits.size(), 0);
  if (option.type >= 0) amounts[option.type] = option.cards();
  for (const Use& use : table.uses_of(option)) amounts[use.resource] = use.whole;
  return amounts;
}

// Whether an option is dominated by another one: worse in nothing, and earlier if equal.
std::vector<std::int64_t> undominated_pair_by_pair(const OptionTable& table) {
  std::vector<std::vector<std::int64_t>> amounts;
  for (const Option& option : table.options) amounts.push_back(amounts_of(table, option));
  const auto key = [&](std::int64_t o) {
    const Option& option = table.options[o];
    return std::tuple(option.objective, option.type < 0 ? 0 : option.cards(), o);
  };
  std::vector<std::int64_t> kept;
  for (std::int64_t o = 0; o < std::ssize(table.options); ++o) {
    bool beaten = false;
    for (std::int64_t other = 0; other < std::ssize(table.options) && !beaten; ++other) {
      beaten = key(other) < key(o);
      for (std::size_t r = 0; r < amounts[o].size(); ++r) {
        beaten = beaten && amounts[other][r] <= amounts[o][r];
      }
    }
    if (!beaten) kept.push_back(o);
  }
  std::sort(kept.begin(), kept.end(),
            [&](std::int64_t a, std::int64_t b) { return key(a) < key(b); });
  return kept;
}

TEST(Undominated, AgreesWithAllPairs) {
  Sampler sampler;
  for (int i = 0; i < testing::tries(3000); ++i) {
    const OptionTable table = sampler.next(sampler.whole(1, 60), sampler.whole(1, 4),
                                           sampler.whole(0, 3), sampler.whole(1, 40));
    ASSERT_EQ(undominated_options(table, 0), undominated_pair_by_pair(table)) << "table " << i;
  }
  // Enough of them for trees of several levels.
  for (int i = 0; i < testing::tries(30); ++i) {
    const OptionTable table = sampler.next(1500, sampler.whole(1, 2), sampler.whole(0, 3), 100000);
    ASSERT_EQ(undominated_options(table, 0), undominated_pair_by_pair(table)) << "table " << i;
  }
}

// Options of which none dominates another: comparing all pairs would take 2e9 comparisons, twice.
TEST(Undominated, CostsLessThanAllPairs) {
  constexpr std::int64_t kOptions = testing::tries(60000);
  for (const bool with_limit : {false, true}) {
    OptionTable table;
    table.capacity = {kOptions, kOptions};
    if (with_limit) table.limits = {kOptions};
    table.priority = {1};
    for (std::int64_t i = 0; i < kOptions; ++i) {
      // Scattered, so that no order of the options is that of their amounts.
      const std::int64_t amount = 1 + i * 7919 % kOptions;
      Option option{static_cast<double>(i), 0, 0, 1, amount, 0, 0, 0};
      option.first_use = std::ssize(table.uses);
      table.uses.push_back({1, kOptions + 1 - amount, 0, 0});
      if (with_limit) table.uses.push_back({2, 1 + i * 104729 % kOptions, 0, 0});
      option.num_uses = with_limit ? 2 : 1;
      table.options.push_back(option);
    }
    table.first = {0, kOptions};
    const testing::CpuTime time;
    EXPECT_EQ(std::ssize(undominated_options(table, 0)), kOptions);
    EXPECT_LT(time.seconds(), 4);
  }
}

}  // namespace
}  // namespace tonnage
