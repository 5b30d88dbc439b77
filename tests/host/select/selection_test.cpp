// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The published selection against a literal, slow reading of its rules, and its invariants.
#include "tonnage/host/selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "support/seed.hpp"

namespace tonnage {
namespace {

constexpr SaturationPolicy kPolicies[] = {
    SaturationPolicy::kNone, SaturationPolicy::kPriorityExhaustive,
    SaturationPolicy::kPriorityRoundRobin, SaturationPolicy::kRoundRobin};

class TableSampler {
 public:
  TableSampler() : engine_(testing::test_seed()) {}

  std::int64_t whole(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }

  // Small whole values make ties in value and regret common.
  OptionTable next() {
    OptionTable table;
    const std::int64_t types = whole(1, 4);
    for (std::int64_t t = 0; t < types; ++t) table.capacity.push_back(whole(0, 25));
    const std::int64_t servers = whole(1, 12);
    table.first.push_back(0);
    for (std::int64_t s = 0; s < servers; ++s) {
      std::vector<Option> options;
      for (std::int32_t a = 0; a < 5; ++a) {
        if (whole(0, 2) == 0) continue;
        const auto value = static_cast<double>(whole(-5, 20));
        options.push_back({value, value, value + 30, whole(1, 6), whole(1, 4), 0, a,
                           static_cast<std::int32_t>(a % types)});
      }
      if (whole(0, 9) == 0) options = {{-3, -3, 0, 0, 0, 0, kNoAccelerator, -1}};
      std::stable_sort(options.begin(), options.end(),
                       [](const Option& a, const Option& b) { return a.value < b.value; });
      table.options.insert(table.options.end(), options.begin(), options.end());
      table.first.push_back(static_cast<std::int64_t>(table.options.size()));
      table.priority.push_back(static_cast<std::int32_t>(whole(1, 3)));
    }
    return table;
  }

 private:
  std::mt19937_64 engine_;
};

// The published rules (docs/selection.md) in order, with a full sort before every step.
class LiteralGreedy {
 public:
  LiteralGreedy(const OptionTable& table, SaturationPolicy policy, bool delayed)
      : t_(table),
        policy_(policy),
        delayed_(delayed),
        free_(table.capacity),
        choices_(table.priority.size()) {}

  std::vector<Choice> select() {
    std::vector<Entry> line;
    for (std::int64_t s = 0; s < t_.num_servers(); ++s) {
      if (t_.first[s] < t_.first[s + 1]) line.push_back({s, t_.first[s]});
    }
    std::vector<std::int64_t> left;
    int group = 0;
    while (!line.empty()) {
      std::stable_sort(line.begin(), line.end(),
                       [&](const Entry& a, const Entry& b) { return goes_first(a, b); });
      Entry& e = line.front();
      if (!delayed_ && t_.priority[e.server] != group) {
        best_effort(left);
        left.clear();
      }
      group = t_.priority[e.server];
      const Option& o = t_.options[e.option];
      if (room(o) == o.num_replicas) {
        take(o, o.num_replicas);
        choices_[e.server] = {e.option, o.num_replicas};
        line.erase(line.begin());
      } else if (e.option + 1 < t_.first[e.server + 1]) {
        ++e.option;
      } else {
        left.push_back(e.server);
        line.erase(line.begin());
      }
    }
    best_effort(left);
    return choices_;
  }

 private:
  struct Entry {
    std::int64_t server, option;
  };

  double regret(const Entry& e) const {
    if (e.option + 1 == t_.first[e.server + 1]) return std::numeric_limits<double>::infinity();
    return t_.options[e.option + 1].value - t_.options[e.option].value;
  }
  bool goes_first(const Entry& a, const Entry& b) const {
    if (t_.priority[a.server] != t_.priority[b.server]) {
      return t_.priority[a.server] < t_.priority[b.server];
    }
    if (regret(a) != regret(b)) return regret(a) > regret(b);
    const double va = t_.options[a.option].value, vb = t_.options[b.option].value;
    if (va != vb) return va > vb;
    return a.server < b.server;
  }
  std::int64_t room(const Option& o) const {
    return o.type < 0 ? o.num_replicas
                      : std::min(o.num_replicas, free_[o.type] / o.cards_per_replica);
  }
  void take(const Option& o, std::int64_t n) {
    if (o.type >= 0) free_[o.type] -= n * o.cards_per_replica;
  }
  std::int64_t pick(std::int64_t s) const {
    for (std::int64_t o = t_.first[s]; o < t_.first[s + 1]; ++o) {
      if (room(t_.options[o]) >= 1) return o;
    }
    return -1;
  }
  void turns(const std::vector<std::int64_t>& group) {
    std::vector<bool> gone(t_.priority.size(), false);
    for (bool moved = true; moved;) {
      moved = false;
      for (const std::int64_t s : group) {
        if (gone[s]) continue;
        if (choices_[s].option < 0) choices_[s].option = pick(s);
        const std::int64_t o = choices_[s].option;
        if (o < 0 || room(t_.options[o]) < 1 ||
            choices_[s].num_replicas == t_.options[o].num_replicas) {
          gone[s] = true;
          continue;
        }
        take(t_.options[o], 1);
        ++choices_[s].num_replicas;
        moved = true;
      }
    }
  }
  void best_effort(const std::vector<std::int64_t>& left) {
    if (policy_ == SaturationPolicy::kPriorityExhaustive) {
      for (const std::int64_t s : left) {
        const std::int64_t o = pick(s);
        if (o < 0) continue;
        choices_[s] = {o, room(t_.options[o])};
        take(t_.options[o], choices_[s].num_replicas);
      }
    } else if (policy_ == SaturationPolicy::kRoundRobin) {
      turns(left);
    } else if (policy_ == SaturationPolicy::kPriorityRoundRobin) {
      for (int p = 1; p <= 100; ++p) {
        std::vector<std::int64_t> group;
        for (const std::int64_t s : left) {
          if (t_.priority[s] == p) group.push_back(s);
        }
        turns(group);
      }
    }
  }

  const OptionTable& t_;
  SaturationPolicy policy_;
  bool delayed_;
  std::vector<std::int64_t> free_;
  std::vector<Choice> choices_;
};

TEST(Selection, GreedyFollowsTheRulesLiterally) {
  TableSampler sampler;
  for (int i = 0; i < 3000; ++i) {
    const OptionTable table = sampler.next();
    for (const SaturationPolicy policy : kPolicies) {
      for (const bool delayed : {false, true}) {
        const auto got = select_greedy(table, policy, delayed);
        const auto want = LiteralGreedy(table, policy, delayed).select();
        for (std::size_t s = 0; s < want.size(); ++s) {
          if (want[s].num_replicas == 0 && want[s].option >= 0 &&
              table.options[want[s].option].num_replicas > 0) {
            EXPECT_EQ(got[s].num_replicas, 0);
            continue;
          }
          ASSERT_EQ(got[s], want[s]) << "table " << i << " server " << s << " policy "
                                     << to_string(policy) << " delayed " << delayed;
        }
      }
    }
  }
}

TEST(Selection, GreedyNeverExceedsCapacity) {
  TableSampler sampler;
  for (int i = 0; i < 3000; ++i) {
    const OptionTable table = sampler.next();
    for (const SaturationPolicy policy : kPolicies) {
      std::vector<std::int64_t> used(table.capacity.size(), 0);
      for (const Choice& c : select_greedy(table, policy, i % 2 == 0)) {
        if (c.option < 0 || table.options[c.option].type < 0) continue;
        const Option& o = table.options[c.option];
        EXPECT_LE(c.num_replicas, o.num_replicas);
        used[o.type] += c.num_replicas * o.cards_per_replica;
      }
      for (std::size_t t = 0; t < used.size(); ++t) EXPECT_LE(used[t], table.capacity[t]);
    }
  }
}

TEST(Selection, UnlimitedTakesTheLeastValue) {
  TableSampler sampler;
  for (int i = 0; i < 500; ++i) {
    const OptionTable table = sampler.next();
    const auto choices = select_unlimited(table);
    for (std::int64_t s = 0; s < table.num_servers(); ++s) {
      if (table.first[s] == table.first[s + 1]) {
        EXPECT_EQ(choices[s].option, -1);
        continue;
      }
      for (std::int64_t o = table.first[s]; o < table.first[s + 1]; ++o) {
        EXPECT_LE(table.options[choices[s].option].value, table.options[o].value);
      }
    }
  }
}

TEST(Selection, RoundingMakesStructuralTiesEqual) {
  EXPECT_EQ(rounded_value(0.1 + 0.2), rounded_value(0.3));
  EXPECT_NE(rounded_value(1.000001), rounded_value(1.000002));
}

}  // namespace
}  // namespace tonnage
