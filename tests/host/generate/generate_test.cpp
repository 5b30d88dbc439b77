// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Generated fleets: same seed same fleet, exact counts, no ties, feasible, capacity as asked.
#include "tonnage/host/generate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string>

#include "support/seed.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/core/system.hpp"
#include "tonnage/host/line_sizing.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {
namespace {

struct Sized {
  Problem problem;
  std::vector<LineOutcome> outcomes;
  OptionTable table;
};

Sized size_fleet(const SystemSpec& fleet) {
  Sized s;
  s.problem = build_problem(System(fleet));
  s.outcomes = size_lines(s.problem);
  s.table = build_options(s.problem, s.outcomes);
  return s;
}

std::map<std::string, std::int64_t> cards_of_unlimited(const Sized& sized) {
  std::map<std::string, std::int64_t> cards;
  for (const Choice& choice : select_unlimited(sized.table)) {
    if (choice.option < 0) continue;
    const Option& option = sized.table.options[choice.option];
    if (option.num_replicas > 0) cards[sized.problem.type_names[option.type]] += option.cards();
  }
  return cards;
}

// Fleets of several sizes from seeds of their own.
std::vector<GenerateOptions> various_options() {
  std::mt19937_64 random(testing::test_seed());
  return {
      {.servers = 1, .accelerators = 1, .models = 1, .seed = random(), .tightness = 1},
      {.servers = 300, .accelerators = 1, .models = 8, .seed = random(), .tightness = 1},
      {.servers = 500, .accelerators = 12, .models = 8, .seed = random(), .tightness = 1},
      {.servers = 2000, .accelerators = 24, .models = 27, .seed = random(), .tightness = 1},
      {.servers = 500, .accelerators = 64, .models = 64, .seed = random(), .tightness = 1},
  };
}

TEST(Generate, SameSeedSameFleetOtherSeedOtherFleet) {
  GenerateOptions options;
  options.seed = testing::test_seed();
  const SystemSpec fleet = generate_fleet(options);
  EXPECT_EQ(fleet, generate_fleet(options));
  ++options.seed;
  EXPECT_NE(fleet.servers, generate_fleet(options).servers);
}

// Bits that must be the same on every platform; they change with the generator only.
TEST(Generate, FiguresArePinned) {
  const SystemSpec fleet = generate_fleet({});
  std::uint64_t hash = 1469598103934665603u;
  const auto add_byte = [&](unsigned char byte) { hash = (hash ^ byte) * 1099511628211u; };
  const auto add = [&](double x) {
    const std::string text = std::to_string(std::llround(x * 1e6));
    std::for_each(text.begin(), text.end(), add_byte);
  };
  for (const auto& a : fleet.accelerators) add(a.cost_cents_per_hour);
  for (const auto& m : fleet.models) {
    add(m.perf_parms.alpha_ms);
    add(m.perf_parms.beta_ms * 1e3);
    add(m.perf_parms.gamma_ms * 1e6);
  }
  for (const auto& s : fleet.servers) {
    std::for_each(s.name.begin(), s.name.end(), add_byte);
    add(s.current_alloc.load.arrival_rate_per_min);
    add(static_cast<double>(s.current_alloc.load.avg_in_tokens));
    add(s.current_alloc.cost_cents_per_hour);
  }
  for (const auto& c : fleet.capacities) add(static_cast<double>(c.count));
  EXPECT_EQ(hash, 4953634579324023634u);
}

TEST(Generate, MoreServersLeaveTheFirstOnesAsTheyAre) {
  GenerateOptions options;
  options.seed = testing::test_seed();
  const SystemSpec few = generate_fleet(options);
  options.servers = 250;
  const SystemSpec more = generate_fleet(options);
  EXPECT_TRUE(std::equal(few.servers.begin(), few.servers.end(), more.servers.begin()));
}

TEST(Generate, CountsAreExactAndNamesUnique) {
  for (const GenerateOptions& options : various_options()) {
    const SystemSpec fleet = generate_fleet(options);
    std::set<std::string> servers, accelerators, types, models;
    for (const auto& s : fleet.servers) servers.insert(s.name);
    for (const auto& a : fleet.accelerators) {
      accelerators.insert(a.name);
      types.insert(a.type);
    }
    for (const auto& m : fleet.models) {
      models.insert(m.name);
      EXPECT_EQ(accelerators.count(m.acc), 1u) << m.acc;
    }
    EXPECT_EQ(std::ssize(servers), options.servers);
    EXPECT_EQ(std::ssize(fleet.servers), options.servers);
    EXPECT_EQ(std::ssize(accelerators), options.accelerators);
    EXPECT_EQ(std::ssize(models), options.models);
    std::set<std::string> capacities;
    for (const auto& c : fleet.capacities) capacities.insert(c.type);
    EXPECT_EQ(capacities, types);
    EXPECT_EQ(std::size(fleet.capacities), types.size());
    EXPECT_FALSE(fleet.optimizer.unlimited);
    EXPECT_EQ(fleet.optimizer.saturation_policy, SaturationPolicy::kNone);
  }
}

TEST(Generate, EveryServerHasAnOptionAndSomePairsHaveNone) {
  for (const GenerateOptions& options : various_options()) {
    const SystemSpec fleet = generate_fleet(options);
    const Sized sized = size_fleet(fleet);
    for (std::int64_t s = 0; s < sized.table.num_servers(); ++s) {
      EXPECT_LT(sized.table.first[s], sized.table.first[s + 1]) << sized.problem.server_names[s];
    }
    for (const Choice& choice : select_unlimited(sized.table)) EXPECT_GE(choice.option, 0);
    if (options.servers < 500) continue;
    const auto feasible = std::count_if(sized.outcomes.begin(), sized.outcomes.end(),
                                        [](const LineOutcome& o) { return o.feasible(); });
    const double share =
        static_cast<double>(feasible) / static_cast<double>(std::ssize(sized.outcomes));
    EXPECT_GT(share, 0.5);
    EXPECT_LT(share, 0.99);
  }
}

TEST(Generate, OptionsOfAServerNeverTie) {
  for (const GenerateOptions& options : various_options()) {
    const Sized sized = size_fleet(generate_fleet(options));
    for (std::int64_t s = 0; s < sized.table.num_servers(); ++s) {
      std::set<double> values;
      for (std::int64_t o = sized.table.first[s]; o < sized.table.first[s + 1]; ++o) {
        EXPECT_TRUE(values.insert(rounded_value(sized.table.options[o].value)).second)
            << sized.problem.server_names[s];
      }
    }
  }
}

TEST(Generate, BatchCeilingsAreMostlyBelow256) {
  for (const GenerateOptions& options : various_options()) {
    if (options.servers < 500) continue;
    const Sized sized = size_fleet(generate_fleet(options));
    std::int64_t below = 0;
    for (const LineRow& line : sized.problem.lines) {
      const std::int64_t n =
          batch_ceiling(sized.problem.servers[line.server], sized.problem.perfs[line.perf]);
      EXPECT_GE(n, 1);
      below += n < 256 ? 1 : 0;
    }
    EXPECT_GT(static_cast<double>(below), 0.85 * static_cast<double>(sized.problem.lines.size()));
  }
}

TEST(Generate, CapacityIsTightnessTimesTheCardsOfTheUnlimitedOptimum) {
  GenerateOptions options{.servers = 400, .seed = testing::test_seed()};
  const SystemSpec plain = generate_fleet(options);
  const auto used = cards_of_unlimited(size_fleet(plain));
  for (const double tightness : {1.0, 0.01, 0.7, 1.1, 2.5, 100.0}) {
    options.tightness = tightness;
    SystemSpec fleet = generate_fleet(options);
    for (const CapacitySpec& c : fleet.capacities) {
      const auto found = used.find(c.type);
      // Exact in long double: tightness has two decimals at most.
      const long double cards = std::round(static_cast<long double>(tightness) * 100) *
                                static_cast<long double>(found == used.end() ? 0 : found->second);
      EXPECT_EQ(c.count, static_cast<std::int64_t>(std::ceil(cards / 100)))
          << c.type << " at " << tightness;
    }
    fleet.capacities = plain.capacities;
    EXPECT_EQ(fleet, plain);
  }
}

TEST(Generate, FleetsShowWhatRealOnesDo) {
  const SystemSpec fleet =
      generate_fleet({.servers = 3000, .accelerators = 24, .seed = testing::test_seed()});
  std::int64_t idle = 0, kept = 0, fresh = 0, no_minimum = 0, no_queue = 0, long_prompts = 0;
  std::vector<double> rates;
  std::map<std::string, double> price;
  std::map<std::pair<std::string, std::string>, std::int64_t> instances;
  for (const auto& a : fleet.accelerators) price[a.name] = a.cost_cents_per_hour;
  for (const auto& m : fleet.models) instances[{m.name, m.acc}] = m.acc_count;
  for (const ServerSpec& s : fleet.servers) {
    const AllocationSpec& current = s.current_alloc;
    rates.push_back(current.load.arrival_rate_per_min);
    idle += current.load.arrival_rate_per_min == 0 ? 1 : 0;
    kept += s.keep_accelerator ? 1 : 0;
    fresh += current.accelerator.empty() ? 1 : 0;
    no_minimum += s.min_num_replicas == 0 ? 1 : 0;
    no_queue += s.max_queue_size == 0 ? 1 : 0;
    long_prompts += current.load.avg_in_tokens > kDefaultMaxNumTokens ? 1 : 0;
    if (current.accelerator.empty()) continue;
    const double list =
        price.at(current.accelerator) *
        static_cast<double>(current.num_replicas * instances.at({s.model, current.accelerator}));
    EXPECT_NEAR(current.cost_cents_per_hour, list, 0.006 * list) << s.name;
    EXPECT_GT(current.max_batch, 0) << s.name;
  }
  for (const std::int64_t count : {idle, kept, fresh, no_minimum, no_queue, long_prompts}) {
    EXPECT_GT(count, 0);
    EXPECT_LT(count, 900);
  }
  std::sort(rates.begin(), rates.end());
  const double median = rates[rates.size() / 2];
  EXPECT_GT(median, 60);
  EXPECT_LT(median, 300);
  EXPECT_GT(std::accumulate(rates.begin(), rates.end(), 0.0) / 3000, 1.3 * median);

  bool itl_and_ttft = false, only_ttft = false, tps = false;
  for (const auto& c : fleet.service_classes) {
    for (const auto& t : c.model_targets) {
      itl_and_ttft |= t.slo_itl_ms > 0 && t.slo_ttft_ms > 0;
      only_ttft |= t.slo_itl_ms == 0 && t.slo_ttft_ms > 0 && t.slo_tps == 0;
      tps |= t.slo_tps > 0;
    }
  }
  EXPECT_TRUE(itl_and_ttft && only_ttft && tps);

  const auto cards = cards_of_unlimited(size_fleet(fleet));
  EXPECT_GE(cards.size(), 4u) << "the optimum uses too few types to be of interest";
}

TEST(Generate, OptionsOutOfRangeAreRefused) {
  const auto refused = [](const GenerateOptions& options) {
    try {
      (void)generate_fleet(options);
    } catch (const Error& error) {
      return error.code() == ErrorCode::kInvalidInput;
    }
    return false;
  };
  EXPECT_TRUE(refused({.servers = 0}));
  EXPECT_TRUE(refused({.servers = kMaxGeneratedServers + 1}));
  EXPECT_TRUE(refused({.accelerators = 0}));
  EXPECT_TRUE(refused({.accelerators = kMaxGeneratedAccelerators + 1}));
  EXPECT_TRUE(refused({.models = -1}));
  EXPECT_TRUE(refused({.models = kMaxGeneratedModels + 1}));
  EXPECT_TRUE(refused({.tightness = 0}));
  EXPECT_TRUE(refused({.tightness = 101}));
  EXPECT_TRUE(refused({.tightness = std::nan("")}));
}

}  // namespace
}  // namespace tonnage
