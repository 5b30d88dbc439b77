// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Best effort in turns, compared with its rule one replica at a time.
#include "host/select/leftovers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "support/cpu_time.hpp"
#include "support/effort.hpp"
#include "support/seed.hpp"

namespace tonnage {
namespace {

class Sampler {
 public:
  Sampler() : engine_(testing::test_seed()) {}

  std::int64_t whole(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }

  // Options of up to `most` replicas; there is about enough for a part of them.
  OptionTable next(std::int64_t most) {
    OptionTable table;
    const std::int64_t types = whole(1, 3), limits = whole(0, 2), servers = whole(1, 9);
    for (std::int64_t t = 0; t < types; ++t) table.capacity.push_back(whole(0, 8 * most));
    for (std::int64_t l = 0; l < limits; ++l) table.limits.push_back(whole(0, 30 * most));
    table.first.push_back(0);
    for (std::int64_t s = 0; s < servers; ++s) {
      const std::int64_t options = whole(1, 3);
      for (std::int64_t i = 0; i < options; ++i) {
        const auto objective = static_cast<double>(i);
        table.options.push_back({objective, objective, 0, whole(1, most), whole(1, 4), 0,
                                 static_cast<std::int32_t>(i),
                                 static_cast<std::int32_t>(whole(0, types - 1))});
        add_uses(table);
      }
      table.first.push_back(std::ssize(table.options));
      table.priority.push_back(static_cast<std::int32_t>(whole(1, 2)));
    }
    return table;
  }

 private:
  // A whole allocation may take more or less than the sum of its parts, as power does.
  void add_uses(OptionTable& table) {
    Option& option = table.options.back();
    option.first_use = std::ssize(table.uses);
    for (std::size_t l = 0; l < table.limits.size(); ++l) {
      if (whole(0, 3) == 0) continue;
      Use use{static_cast<std::int32_t>(table.capacity.size() + l), 0, whole(0, 2), whole(0, 9)};
      use.whole = std::max<std::int64_t>(0, use.per_replica * option.num_replicas + whole(-9, 9));
      table.uses.push_back(use);
      ++option.num_uses;
    }
  }

  std::mt19937_64 engine_;
};

// The use of every resource by an option with that many replicas.
std::map<std::int32_t, std::int64_t> taken(const OptionTable& table, const Option& option,
                                           std::int64_t replicas) {
  std::map<std::int32_t, std::int64_t> amounts;
  amounts[option.type] = replicas * option.cards_per_replica;
  for (const Use& use : table.uses_of(option)) {
    amounts[use.resource] = use.of(replicas, option.num_replicas);
  }
  return amounts;
}

void share_literally(const OptionTable& table, std::vector<std::int64_t> servers,
                     std::vector<std::int64_t>& free, std::vector<Choice>& choices) {
  const auto room_for = [&](const Option& option, std::int64_t has, std::int64_t wants) {
    const auto before = taken(table, option, has);
    for (const auto& [resource, amount] : taken(table, option, wants)) {
      if (amount - before.at(resource) > free[resource]) return false;
    }
    return true;
  };
  // Room for a part that is not the whole, or for the whole.
  const auto has_room = [&](const Option& option) {
    if (room_for(option, 0, option.num_replicas)) return true;
    return option.num_replicas > 1 && room_for(option, 0, 1);
  };
  while (!servers.empty()) {
    std::vector<std::int64_t> stay;
    for (const std::int64_t s : servers) {
      Choice& choice = choices[s];
      for (std::int64_t o = table.first[s]; o < table.first[s + 1] && choice.option < 0; ++o) {
        if (has_room(table.options[o])) choice.option = o;
      }
      if (choice.option < 0) continue;
      const Option& option = table.options[choice.option];
      std::int64_t& has = choice.num_replicas;
      if (!room_for(option, has, has + 1)) continue;
      const auto before = taken(table, option, has);
      for (const auto& [resource, amount] : taken(table, option, has + 1)) {
        free[resource] -= amount - before.at(resource);
      }
      if (++has < option.num_replicas) stay.push_back(s);
    }
    servers = std::move(stay);
  }
}

void expect_as_literally(const OptionTable& table) {
  std::vector<std::int64_t> servers;
  for (std::int64_t s = 0; s < table.num_servers(); ++s) servers.push_back(s);
  std::stable_sort(servers.begin(), servers.end(), [&](std::int64_t a, std::int64_t b) {
    return table.priority[a] < table.priority[b];
  });
  const auto second = std::find_if(servers.begin(), servers.end(), [&](std::int64_t s) {
    return table.priority[s] != table.priority[servers.front()];
  });
  for (const auto policy : {SaturationPolicy::kRoundRobin, SaturationPolicy::kPriorityRoundRobin}) {
    std::vector<Choice> expected(table.priority.size()), choices(table.priority.size());
    std::vector<std::int64_t> free = table.capacity;
    free.insert(free.end(), table.limits.begin(), table.limits.end());
    if (policy == SaturationPolicy::kRoundRobin) {
      share_literally(table, servers, free, expected);
    } else {
      share_literally(table, {servers.begin(), second}, free, expected);
      share_literally(table, {second, servers.end()}, free, expected);
    }
    FreeCards cards(table);
    share_leftovers(table, servers, policy, cards, choices);
    ASSERT_EQ(choices, expected);
    for (std::size_t r = 0; r < free.size(); ++r) {
      ASSERT_EQ(cards.free(static_cast<std::int32_t>(r)), free[r]);
    }
  }
}

TEST(Leftovers, ManyTurnsAtOnceEqualSingleTurns) {
  Sampler sampler;
  for (int i = 0; i < testing::tries(20000); ++i) {
    ASSERT_NO_FATAL_FAILURE(expect_as_literally(sampler.next(12))) << "table " << i;
  }
  for (int i = 0; i < testing::tries(300); ++i) {
    ASSERT_NO_FATAL_FAILURE(expect_as_literally(sampler.next(500))) << "table " << i;
  }
}

// Cards of one type and two servers that take 3 and 5 of them a replica, and as much of a limit.
OptionTable two_servers(std::int64_t cards) {
  OptionTable table;
  table.capacity = {cards};
  table.limits = {cards};
  table.first = {0, 1, 2};
  table.priority = {1, 1};
  for (const std::int64_t each : {3, 5}) {
    table.options.push_back({0, 0, 0, cards, each, 0, 0, 0, std::ssize(table.uses), 1});
    table.uses.push_back({1, cards * each, 0, each});
  }
  return table;
}

TEST(Leftovers, TimeDoesNotGrowWithReplicas) {
  constexpr std::int64_t kTurns = 400'000'000;
  const OptionTable table = two_servers(8 * kTurns + 4);
  FreeCards cards(table);
  std::vector<Choice> choices(2);
  const testing::CpuTime time;
  share_leftovers(table, {0, 1}, SaturationPolicy::kRoundRobin, cards, choices);
  EXPECT_LT(time.seconds(), 1);
  EXPECT_EQ(choices[0].num_replicas, kTurns + 1);
  EXPECT_EQ(choices[1].num_replicas, kTurns);
  EXPECT_EQ(cards.free(0), 1);
}

}  // namespace
}  // namespace tonnage
