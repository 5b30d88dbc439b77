// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Cutting planes against every combination, without any tolerance.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "host/select/price/proof/gomory_cuts.hpp"
#include "support/effort.hpp"
#include "support/sampler.hpp"

namespace tonnage::price {
namespace {

using testing::Sampler;

// Servers with a few choices each beyond that of the reference, which takes nothing.
struct Game {
  Effects effects;
  std::vector<double> room;
  std::vector<std::vector<std::int32_t>> slots;  // [servers][choices]
  std::vector<Moved> moved;
};

Game random_game(Sampler& random) {
  Game game;
  const std::int64_t rows = random.whole(1, 3);
  for (std::int64_t r = 0; r < rows; ++r) {
    game.room.push_back(static_cast<double>(random.whole(-4, 15)));
  }
  for (int p = 0; p < 5; ++p) {
    std::vector<std::int32_t>& own = game.slots.emplace_back();
    const bool has_own = random.whole(0, 1) == 0;
    for (std::int64_t c = random.whole(1, 3); c > 0; --c) {
      std::vector<Effects::Entry> effect;
      for (std::int32_t r = 0; r < rows; ++r) {
        const auto amount = static_cast<double>(random.whole(-6, 9));
        if (amount != 0 && random.whole(0, 3) > 0) effect.push_back({r, amount});
      }
      const std::int32_t slot = game.effects.find(effect);
      own.push_back(has_own ? game.effects.copy(slot) : slot);
    }
    if (has_own && random.whole(0, 1) == 0) game.moved.push_back({own.front(), own});
  }
  return game;
}

// The largest sum of shares that fits; none if nothing fits. Rounding of a few doubles in long
// double is far below the margin that a cut leaves for its own rounding.
class Most {
 public:
  Most(const Game& game, const Cut& cut) : game_(game), cut_(cut), left_(game.room) {}

  std::optional<long double> find() {
    visit(0, 0);
    return most_;
  }

 private:
  void visit(std::size_t p, long double sum) {
    if (p == game_.slots.size()) {
      const bool holds = std::all_of(left_.begin(), left_.end(), [](double v) { return v >= 0; });
      if (holds && (!most_ || sum > *most_)) most_ = sum;
      return;
    }
    visit(p + 1, sum);
    for (const std::int32_t slot : game_.slots[p]) {
      take(slot, 1);
      visit(p + 1, sum + cut_.share[slot]);
      take(slot, -1);
    }
  }
  void take(std::int32_t slot, double times) {
    for (const auto* e = game_.effects.begin(slot); e != game_.effects.end(slot); ++e) {
      left_[e->row] -= times * e->amount;
    }
  }

  const Game& game_;
  const Cut& cut_;
  std::vector<double> left_;
  std::optional<long double> most_;
};

TEST(PriceRounding, GomoryCutsHoldForIntegerChoices) {
  Sampler random;
  int cuts = 0, of_cuts = 0, tight = 0;
  for (int i = 0; i < testing::tries(400); ++i) {
    const Game game = random_game(random);
    std::deque<Cut> made;
    for (int round = 0; round < 8; ++round) {
      Combination combination;
      for (std::size_t r = 0; r < game.room.size(); ++r) {
        combination.u.push_back(random.whole(0, 4) == 0 ? 0 : random.any_size());
      }
      for (const Cut& cut : made) {
        if (random.whole(0, 1) == 0) combination.cuts.emplace_back(&cut, random.any_size());
      }
      Cut cut;
      if (!gomory_cuts(game.effects, game.room, combination, game.moved, cut)) continue;
      ASSERT_EQ(cut.share.front(), 0) << "game " << i << " round " << round;
      const std::optional<long double> most = Most(game, cut).find();
      if (!most) break;
      ASSERT_LE(*most, cut.most) << "game " << i << " round " << round;
      ++cuts;
      of_cuts += !combination.cuts.empty();
      tight += cut.most - *most < 1e-6;
      made.push_back(std::move(cut));
    }
  }
  EXPECT_GT(cuts, testing::tries(400));
  EXPECT_GT(of_cuts, cuts / 4);
  EXPECT_GT(tight, cuts / 20);
}

}  // namespace
}  // namespace tonnage::price
