// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Rounds cheapest choices to feasible assignments: relieves overfull resources, fills free ones,
// and restores service levels. Also holds the members of Packing (an assignment).
#include "host/select/price/model/assignment.hpp"

#include <algorithm>
#include <cmath>

#include "core/src/check.hpp"
#include "host/base/parallel.hpp"

namespace tonnage::price {
namespace {

// A way to relieve a resource: the player takes option `to` instead (kNone: goes without).
struct Exit {
  bool breaks_level;  // leaves a player unserved whom the stage wants served
  double cost_per_unit;
  std::int64_t player;
  std::int64_t to;
};

// Assigns the cheapest choice of each player, feasible or not.
void put_cheapest(const Table& table, const Stage& stage, const Prices& prices, int num_threads,
                  Packing& packing) {
  const std::int64_t players = packing.num_players();
  std::vector<std::int64_t> choice(static_cast<std::size_t>(players));
  parallel_chunks(players, kChunk, num_threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      const Cheapest best = cheapest_option(table, stage.value_weight, prices.resource, p);
      choice[p] = prices.skip[table.class_of[p]] < best.cost ? Packing::kNone : best.option;
    }
  });
  for (std::int64_t p = 0; p < players; ++p) packing.put(p, choice[p]);
}

// The overload of every resource in cards; for limits, converted by what usually goes with a card.
class Overload {
 public:
  Overload(const Table& table, const Packing& packing) : table_(table), packing_(packing) {
    per_card_.assign(static_cast<std::size_t>(table.num_resources) + 1, 1.0);
    if (table.num_types == table.num_resources) return;
    std::vector<double> taken(per_card_.size(), 0.0);
    double cards = 1;
    for (std::int64_t p = 0; p < packing.num_players(); ++p) {
      if (packing.option_of(p) == Packing::kNone) continue;
      const FlatOption& o = table.options[packing.option_of(p)];
      if (o.type < table.num_types) cards += o.cards;
      table.for_uses(o, [&](std::int32_t r, double amount) { taken[r] += amount; });
    }
    for (std::int32_t r = table.num_types; r < table.num_resources; ++r) {
      per_card_[r] = cards / std::max(1.0, taken[r]);
    }
  }

  [[nodiscard]] bool concerns(const FlatOption& option) const {
    bool found = false;
    table_.for_uses(option, [&](std::int32_t r, double) { found = found || packing_.left(r) < 0; });
    return found;
  }
  // What an option frees of overfull resources if it gives way to another, or to none.
  [[nodiscard]] double freed(const FlatOption& now, const FlatOption* other) const {
    double sum = 0;
    table_.for_uses(now, [&](std::int32_t r, double amount) {
      if (packing_.left(r) >= 0) return;
      const double less =
          other == nullptr ? amount : amount - static_cast<double>(table_.taken(*other, r));
      sum += less * per_card_[r];
    });
    return sum;
  }

 private:
  const Table& table_;
  const Packing& packing_;
  std::vector<double> per_card_;  // [resources + 1]
};

void add_exits(const Table& table, const Stage& stage, const Prices& prices,
               const Overload& overload, std::int64_t player, std::int64_t from,
               std::vector<Exit>& exits) {
  const FlatOption& now = table.options[from];
  const auto reduced = [&](const FlatOption& o) {
    return table.cost_of(o, stage.value_weight, prices.resource);
  };
  const double cost = reduced(now);
  for (std::int64_t o = table.first[player]; o < table.first[player + 1]; ++o) {
    const FlatOption& other = table.options[o];
    const double freed = overload.freed(now, &other);
    if (freed > 0) exits.push_back({false, (reduced(other) - cost) / freed, player, o});
  }
  const double skip = prices.skip[table.class_of[player]];
  const double freed = overload.freed(now, nullptr);
  exits.push_back({!std::isfinite(skip), std::isfinite(skip) ? (skip - cost) / freed : -freed,
                   player, Packing::kNone});
}

bool may_leave_for(const Table& table, const Packing& packing, std::int64_t player,
                   std::int64_t to) {
  if (to == Packing::kNone) return true;
  bool room = true;
  table.for_uses(table.options[to], [&](std::int32_t r, double amount) {
    const auto wanted = static_cast<std::int64_t>(amount);
    const std::int64_t has = packing.taken(player, r);
    // Of what is overfull less is progress.
    room = room && (wanted < has || wanted <= packing.left(r) + has);
  });
  return room;
}

void relieve(const Table& table, const Stage& stage, const Prices& prices, Packing& packing) {
  std::vector<Exit> exits;
  const Overload overload(table, packing);
  for (std::int64_t p = 0; p < packing.num_players(); ++p) {
    const std::int64_t o = packing.option_of(p);
    if (o == Packing::kNone || !overload.concerns(table.options[o])) continue;
    add_exits(table, stage, prices, overload, p, o, exits);
  }
  std::sort(exits.begin(), exits.end(), [&](const Exit& a, const Exit& b) {
    if (a.breaks_level != b.breaks_level) return b.breaks_level;
    if (a.breaks_level && table.class_of[a.player] != table.class_of[b.player]) {
      return table.class_of[a.player] > table.class_of[b.player];
    }
    if (a.cost_per_unit != b.cost_per_unit) return a.cost_per_unit < b.cost_per_unit;
    return a.player != b.player ? a.player < b.player : a.to < b.to;
  });
  // First players that free no more than needed: one with many cards would hardly find room again.
  for (const bool any : {false, true}) {
    for (const Exit& exit : exits) {
      const std::int64_t from = packing.option_of(exit.player);
      if (from == Packing::kNone) continue;
      const FlatOption& now = table.options[from];
      if (!overload.concerns(now)) continue;
      const std::int64_t left = packing.left(now.type);
      if (!any && left < 0 && now.whole_cards() > -left) continue;
      if (may_leave_for(table, packing, exit.player, exit.to)) packing.put(exit.player, exit.to);
    }
  }
}

}  // namespace

Packing::Packing(const Table& table, std::int32_t num_classes)
    : table_(&table), left_(table.capacity) {
  extend(table, num_classes);
}

void Packing::extend(const Table& table, std::int32_t num_classes) {
  table_ = &table;
  option_.resize(static_cast<std::size_t>(table.first_player[num_classes]), kNone);
  while (this->num_classes() < num_classes) {
    skipped_.push_back(table.players_of(this->num_classes()));
  }
}

void Packing::put(std::int64_t player, std::int64_t option) {
  TONNAGE_CHECK(option == kNone ||
                (option >= table_->first[player] && option < table_->first[player + 1]));
  std::int64_t& mine = option_[player];
  std::int64_t& skipped = skipped_[table_->class_of[player]];
  if (mine != kNone) {
    table_->for_uses(table_->options[mine], [&](std::int32_t r, double amount) {
      left_[r] += static_cast<std::int64_t>(amount);
    });
    ++skipped;
  }
  mine = option;
  if (mine != kNone) {
    table_->for_uses(table_->options[mine], [&](std::int32_t r, double amount) {
      left_[r] -= static_cast<std::int64_t>(amount);
    });
    --skipped;
  }
  TONNAGE_CHECK(skipped >= 0 && skipped <= table_->players_of(table_->class_of[player]));
}

bool Packing::has_room(std::int64_t player, std::int64_t option) const {
  bool room = true;
  table_->for_uses(table_->options[option], [&](std::int32_t r, double amount) {
    room = room && static_cast<std::int64_t>(amount) <= left_[r] + taken(player, r);
  });
  return room;
}

bool Packing::is_feasible() const {
  return std::all_of(left_.begin(), left_.end(), [](std::int64_t l) { return l >= 0; });
}

double Packing::value(const Table& table) const {
  double sum = 0, chunk = 0;
  for (std::int64_t p = 0; p < num_players(); ++p) {
    if (option_[p] != kNone) chunk += table.options[option_[p]].value;
    if ((p + 1) % kChunk == 0) {
      sum += chunk;
      chunk = 0;
    }
  }
  return sum + chunk;
}

bool is_better(const Table& table, const Packing& a, const Packing& b) {
  if (a.skipped() != b.skipped()) return a.skipped() < b.skipped();
  return a.value(table) < b.value(table);
}

void fill(const Table& table, const Stage& stage, const Prices& prices, Packing& packing) {
  struct Waiting {
    double cost;
    std::int64_t player;
  };
  std::vector<Waiting> waiting;
  for (std::int32_t k = 0; k < packing.num_classes(); ++k) {
    if (packing.skipped(k) == 0) continue;
    waiting.clear();
    for (std::int64_t p = table.first_player[k]; p < table.first_player[k + 1]; ++p) {
      if (packing.option_of(p) != Packing::kNone) continue;
      waiting.push_back({cheapest_option(table, stage.value_weight, prices.resource, p).cost, p});
    }
    std::sort(waiting.begin(), waiting.end(), [](const Waiting& a, const Waiting& b) {
      return a.cost != b.cost ? a.cost < b.cost : a.player < b.player;
    });
    for (const Waiting& w : waiting) {
      double least = std::numeric_limits<double>::infinity();
      std::int64_t choice = Packing::kNone;
      for (std::int64_t o = table.first[w.player]; o < table.first[w.player + 1]; ++o) {
        if (!packing.has_room(w.player, o)) continue;
        const double cost = table.cost_of(table.options[o], stage.value_weight, prices.resource);
        if (cost < least) {
          least = cost;
          choice = o;
        }
      }
      if (choice != Packing::kNone) packing.put(w.player, choice);
    }
  }
}

namespace {

// A player that could leave a type for the sake of a higher class; by cards, then player.
struct Victim {
  std::int64_t cards;
  std::int64_t player;

  friend bool operator<(const Victim& a, const Victim& b) {
    return a.cards != b.cards ? a.cards < b.cards : a.player < b.player;
  }
};

// The fewest of `victims` (ascending) that free what is needed: one with just enough cards, else
// the largest ones. Empty if all together do not suffice.
std::vector<std::int64_t> pick_victims(const std::vector<Victim>& victims, std::int64_t lacking) {
  std::vector<std::int64_t> picked;
  const auto enough = std::lower_bound(victims.begin(), victims.end(), Victim{lacking, -1});
  if (enough != victims.end()) return {enough->player};
  for (auto v = victims.rbegin(); v != victims.rend() && lacking > 0; ++v) {
    picked.push_back(v->player);
    lacking -= v->cards;
  }
  if (lacking > 0) picked.clear();
  return picked;
}

}  // namespace

void restore_levels(const Table& table, const Stage& stage, Packing& packing) {
  constexpr int kMaxServed = 200;
  int served = 0;
  for (std::int32_t k = 0; k + 1 < packing.num_classes(); ++k) {
    while (stage.may_skip[k] != Stage::kNoLimit && packing.skipped(k) > stage.may_skip[k]) {
      if (++served > kMaxServed) return;
      std::vector<std::vector<Victim>> victims(table.capacity.size());  // by type
      for (std::int64_t p = table.first_player[k + 1]; p < packing.num_players(); ++p) {
        if (packing.option_of(p) == Packing::kNone) continue;
        const FlatOption& o = table.options[packing.option_of(p)];
        if (o.cards > 0) victims[o.type].push_back({o.whole_cards(), p});
      }
      for (auto& list : victims) std::sort(list.begin(), list.end());
      std::int64_t player = -1, option = Packing::kNone;
      std::vector<std::int64_t> leaving;
      for (std::int64_t p = table.first_player[k]; p < table.first_player[k + 1]; ++p) {
        if (packing.option_of(p) != Packing::kNone) continue;
        for (std::int64_t o = table.first[p]; o < table.first[p + 1]; ++o) {
          const FlatOption& wanted = table.options[o];
          const std::int64_t lacking = wanted.whole_cards() - packing.left(wanted.type);
          std::vector<std::int64_t> picked;
          if (lacking > 0) {
            picked = pick_victims(victims[wanted.type], lacking);
            if (picked.empty()) continue;
          }
          if (player < 0 || picked.size() < leaving.size()) {
            player = p;
            option = o;
            leaving = std::move(picked);
          }
        }
      }
      if (player < 0) return;
      std::vector<std::int64_t> had;
      for (const std::int64_t p : leaving) {
        had.push_back(packing.option_of(p));
        packing.put(p, Packing::kNone);
      }
      if (!packing.has_room(player, option)) {  // limits, of which the choice above knows nothing
        for (std::size_t i = 0; i < leaving.size(); ++i) packing.put(leaving[i], had[i]);
        return;
      }
      packing.put(player, option);
    }
  }
}

Packing cheapest_choices(const Table& table, const Stage& stage, const Prices& prices,
                         int num_threads) {
  Packing packing(table, stage.num_classes);
  put_cheapest(table, stage, prices, num_threads, packing);
  return packing;
}

Packing round_prices(const Table& table, const Stage& stage, const Prices& prices,
                     int num_threads) {
  Packing packing = cheapest_choices(table, stage, prices, num_threads);
  relieve(table, stage, prices, packing);
  fill(table, stage, prices, packing);
  return packing;
}

}  // namespace tonnage::price
