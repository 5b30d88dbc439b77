// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The search for prices in large fleets, where it fixes servers on the way: whom it may fix, and
// where it ends after a wrong fixing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include "host/select/price/bound/centre_search.hpp"
#include "host/select/price/bound/dual.hpp"
#include "host/select/price/bound/fixing.hpp"
#include "support/effort.hpp"
#include "support/sampler.hpp"

namespace tonnage::price {
namespace {

using testing::Sampler;

constexpr std::int32_t kTypes = 8;

// Kinds of servers, `copies` of each and as many times the cards; some options take two types.
OptionTable fleet(std::uint64_t kinds, std::int64_t copies, Sampler& random) {
  OptionTable table;
  table.first.push_back(0);
  table.capacity.assign(kTypes, 0);
  for (std::uint64_t k = 0; k < kinds; ++k) {
    std::vector<Option> options;
    double value = random.real(0, 50);
    for (std::int32_t t = 0; t < kTypes; ++t) {
      value += random.real(0, 30);
      Option option{value, value, value, 1, random.whole(1, 9), 0, t, t};
      if (random.whole(0, 2) == 0) {
        option.first_use = std::ssize(table.uses);
        option.num_uses = 1;
        const std::int64_t amount = random.whole(1, 5);
        table.uses.push_back({(t + 1) % kTypes, amount, 0, amount});
      }
      options.push_back(option);
      table.capacity[static_cast<std::size_t>(t)] += copies * random.whole(0, 4);
    }
    for (std::int64_t i = 0; i < copies; ++i) {
      table.options.insert(table.options.end(), options.begin(), options.end());
      table.first.push_back(std::ssize(table.options));
      table.priority.push_back(1 + static_cast<std::int32_t>(k % 2));
    }
  }
  return table;
}

// The first class must be served but for a few, the second costs something each.
Stage stage_of(const Table& table, std::int64_t may_skip) {
  Stage stage;
  stage.num_classes = table.num_classes();
  stage.skip_cost = {0.0, 120.0};
  stage.may_skip = {may_skip, Stage::kNoLimit};
  return stage;
}

Prices random_prices(Sampler& random, const Table& table, const Stage& stage, double most) {
  Prices prices = zero_prices(table, stage);
  for (std::int32_t r = 0; r < table.num_resources; ++r) {
    prices.resource[static_cast<std::size_t>(r)] = random.real(0, most);
  }
  prices.skip[0] += random.real(0, 5 * most);
  return prices;
}

// Prices within a radius of other prices, and not negative.
Prices nearby(Sampler& random, const Prices& prices, const Prices& radius) {
  Prices other = prices;
  for (std::size_t r = 0; r < prices.resource.size(); ++r) {
    other.resource[r] = std::max(0.0, prices.resource[r] + random.real(-1, 1) * radius.resource[r]);
  }
  other.skip[0] = std::max(0.0, prices.skip[0] + random.real(-1, 1) * radius.skip[0]);
  return other;
}

TEST(PriceDual, FixedServersKeepTheirChoiceNearby) {
  Sampler random;
  int parted = 0, fewer = 0;
  for (int i = 0; i < testing::tries(200); ++i) {
    const Table table = flatten(fleet(40, 1, random));
    const Stage stage = stage_of(table, 3);
    const Prices prices = random_prices(random, table, stage, 20);
    Prices radius{std::vector<double>(prices.resource.size(), 0.0), {0.0, 0.0}};
    for (std::int32_t r = 0; r < table.num_resources; ++r) {
      radius.resource[static_cast<std::size_t>(r)] = random.real(0, 2);
    }
    radius.skip[0] = random.real(0, 5);
    const std::optional<Unfixed> left = fix_servers(table, stage, prices, radius, 1);
    if (!left) continue;
    ++parted;
    ASSERT_LT(left->table.options.size(), table.options.size());
    fewer += left->table.class_of.size() < table.class_of.size();
    const auto of_left = [&](const Prices& at) {
      return respond(left->table, left->stage, at, 1).value + left->constant;
    };
    for (int j = 0; j < 20; ++j) {
      const Prices close = nearby(random, prices, radius);
      const double want = respond(table, stage, close, 1).value;
      EXPECT_NEAR(of_left(close), want, 1e-9 * (1 + std::abs(want))) << "table " << i;
      const Prices far = random_prices(random, table, stage, 40);
      EXPECT_GE(of_left(far), respond(table, stage, far, 1).value - 1e-6) << "table " << i;
    }
  }
  EXPECT_GT(parted, testing::tries(200) / 4);
  EXPECT_GT(fewer, testing::tries(200) / 4);
}

// A fleet of n copies has n times the bound of one copy, which fixes nobody. The start (none, near
// or far from the best prices) does not matter.
TEST(PriceDual, BoundsOfCopiedFleetsScale) {
  Sampler random;
  constexpr std::int64_t kCopies = 2000;
  for (int i = 0; i < testing::tries(10); ++i) {
    Sampler again = random;
    const Table small = flatten(fleet(60, 1, random));
    const Table large = flatten(fleet(60, kCopies, again));
    const Stage of_small = stage_of(small, 6), of_large = stage_of(large, 6 * kCopies);
    std::int64_t passes = 0;
    const Prices least = zero_prices(small, of_small);
    const Prices known = maximise_dual(small, of_small, least, {1e-10, true}, 2, passes);
    const double want = static_cast<double>(kCopies) * respond(small, of_small, known, 2).bound();
    const auto scaled = [&](double low, double high) {
      Prices prices = known;
      for (double& price : prices.resource) price *= random.real(low, high);
      prices.skip[0] = least.skip[0] + random.real(low, high) * (known.skip[0] - least.skip[0]);
      return prices;
    };
    for (const Prices& start : {least, known, scaled(0.99, 1.01), scaled(0.05, 20)}) {
      const Prices best = maximise_dual(large, of_large, start, {1e-10, true}, 2, passes);
      const double got = respond(large, of_large, best, 2).bound();
      EXPECT_NEAR(got, want, 1e-8 * (1 + std::abs(want))) << "table " << i;
      // A small fleet, too, does without those in the middle where it need not have them.
      const Prices any = maximise_dual(small, of_small, start, {1e-10, false}, 2, passes);
      EXPECT_NEAR(static_cast<double>(kCopies) * respond(small, of_small, any, 2).bound(), want,
                  1e-8 * (1 + std::abs(want)))
          << "table " << i;
    }
  }
}

// The minimum of some planes, of which the search sees few at first. When it has found their best
// point it learns that the value there is lower, and must end where it would have ended otherwise.
TEST(PriceDual, SearchesRecoverFromWrongFixing) {
  constexpr std::size_t kDims = 6, kPlanes = 60, kSeen = 12;
  constexpr double kClose = 1e-13;
  struct Plane {
    std::vector<double> slope;
    double offset = 0;
  };
  Sampler random;
  const CentreSearch::Box box{std::vector<double>(kDims, -1.0), std::vector<double>(kDims, 1.0)};
  int corrected = 0;
  for (int i = 0; i < testing::tries(200); ++i) {
    std::vector<Plane> planes(kPlanes);
    for (Plane& plane : planes) {
      plane.offset = random.real(0, 100);
      for (std::size_t d = 0; d < kDims; ++d) plane.slope.push_back(random.real(-200, 200));
    }
    const auto height = [&](const Plane& plane, const std::vector<double>& x) {
      return std::inner_product(x.begin(), x.end(), plane.slope.begin(), plane.offset);
    };
    const auto lowest = [&](const std::vector<double>& x, std::size_t seen) -> const Plane& {
      return *std::min_element(
          planes.begin(), planes.begin() + static_cast<std::ptrdiff_t>(seen),
          [&](const Plane& a, const Plane& b) { return height(a, x) < height(b, x); });
    };
    const auto climb = [&](CentreSearch& search, std::vector<double> x, std::size_t seen) {
      int passes = 0;
      do {
        const Plane& plane = lowest(x, seen);
        search.add(x, height(plane, x), plane.slope);
        x = search.next();
      } while (search.promise() > kClose * (1 + std::abs(search.best())) && ++passes < 500);
    };
    const std::vector<double> middle(kDims, 0.0);
    CentreSearch whole(box, box, 0);
    climb(whole, middle, kPlanes);
    CentreSearch misled(box, box, 0);
    climb(misled, middle, kSeen);
    const std::vector<double> best = misled.best_point();
    const Plane& plane = lowest(best, kPlanes);
    const double value = height(plane, best);
    corrected += value < misled.best() - 1;
    misled.correct(best, value, plane.slope);
    climb(misled, misled.next(), kPlanes);
    EXPECT_NEAR(misled.best(), whole.best(), 1e-8 * (1 + std::abs(whole.best()))) << "planes " << i;
  }
  EXPECT_GT(corrected, testing::tries(200) / 2);
}

// All must be served: with the cards of a plan prices exist, with hardly any cards none do.
TEST(PriceDual, PricesAreBoundedExactlyIfThereIsAPlan) {
  Sampler random;
  for (int i = 0; i < testing::tries(50); ++i) {
    Table table = flatten(fleet(40, 1, random));
    Stage stage = stage_of(table, 0);
    stage.may_skip = {0, 0};
    std::vector<std::int64_t> needed(table.capacity.size(), 0);
    for (std::int64_t p = 0; p < table.num_servers(); ++p) {
      const auto own = table.options_of(p);
      table.for_uses(own[random.whole(0, own.size() - 1)], [&](std::int32_t r, double amount) {
        if (r < table.num_resources) needed[r] += static_cast<std::int64_t>(amount);
      });
    }
    std::int64_t passes = 0;
    table.capacity = needed;
    const Prices start = zero_prices(table, stage);
    const auto bounded = bounded_prices(table, stage, start, {1e-10, true}, 1, passes);
    ASSERT_TRUE(bounded) << "table " << i;
    const double want =
        respond(table, stage, maximise_dual(table, stage, start, {1e-10, true}, 1, passes), 1)
            .bound();
    EXPECT_NEAR(respond(table, stage, *bounded, 1).bound(), want, 1e-8 * (1 + std::abs(want)))
        << "table " << i;
    for (std::int64_t& capacity : table.capacity) capacity /= 50;
    EXPECT_FALSE(bounded_prices(table, stage, start, {1e-10, true}, 1, passes)) << "table " << i;
  }
}

}  // namespace
}  // namespace tonnage::price
