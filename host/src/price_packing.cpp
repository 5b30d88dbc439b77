#include "price_packing.hpp"

#include <algorithm>
#include <cmath>

#include "parallel.hpp"

namespace tonnage::price {
namespace {

// A way out of an overfull type: the player takes option `to` instead (kNone: goes without).
struct Exit {
  bool breaks_level;  // leaves a player unserved whom the stage wants served
  double cost_per_card;
  std::int64_t player;
  std::int64_t to;
};

// Everybody's cheapest choice, room or not.
void put_cheapest(const Table& table, const Stage& stage, const Prices& prices, int num_threads,
                  Packing& packing) {
  const std::int64_t players = packing.num_players();
  std::vector<std::int64_t> choice(static_cast<std::size_t>(players));
  parallel_chunks(players, kChunk, num_threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      const Cheapest best = cheapest_option(table, stage.value_weight, prices.type, p);
      choice[p] = prices.skip[table.class_of[p]] < best.cost ? Packing::kNone : best.option;
    }
  });
  for (std::int64_t p = 0; p < players; ++p) packing.put(p, choice[p]);
}

void add_exits(const Table& table, const Stage& stage, const Prices& prices, std::int64_t player,
               std::int64_t from, std::vector<Exit>& exits) {
  const FlatOption& now = table.options[from];
  const auto reduced = [&](const FlatOption& o) {
    return stage.value_weight * o.value + o.cards * prices.type[o.type];
  };
  const double cost = reduced(now);
  for (std::int64_t o = table.first[player]; o < table.first[player + 1]; ++o) {
    const FlatOption& other = table.options[o];
    const double freed = other.type == now.type ? now.cards - other.cards : now.cards;
    if (freed > 0) exits.push_back({false, (reduced(other) - cost) / freed, player, o});
  }
  const double skip = prices.skip[table.class_of[player]];
  exits.push_back({!std::isfinite(skip),
                   std::isfinite(skip) ? (skip - cost) / now.cards : -now.cards, player,
                   Packing::kNone});
}

bool has_room(const Table& table, const Packing& packing, std::int64_t player, std::int64_t to) {
  if (to == Packing::kNone) return true;
  const FlatOption& o = table.options[to];
  const std::int64_t from = packing.option_of(player);
  std::int64_t room = packing.left(o.type);
  if (from != Packing::kNone && table.options[from].type == o.type) {
    // Within an overfull type fewer cards are progress.
    if (o.cards < table.options[from].cards) return true;
    room += table.options[from].whole_cards();
  }
  return o.whole_cards() <= room;
}

void relieve(const Table& table, const Stage& stage, const Prices& prices, Packing& packing) {
  std::vector<Exit> exits;
  for (std::int64_t p = 0; p < packing.num_players(); ++p) {
    const std::int64_t o = packing.option_of(p);
    if (o == Packing::kNone || packing.left(table.options[o].type) >= 0) continue;
    add_exits(table, stage, prices, p, o, exits);
  }
  std::sort(exits.begin(), exits.end(), [&](const Exit& a, const Exit& b) {
    if (a.breaks_level != b.breaks_level) return b.breaks_level;
    if (a.breaks_level && table.class_of[a.player] != table.class_of[b.player]) {
      return table.class_of[a.player] > table.class_of[b.player];
    }
    if (a.cost_per_card != b.cost_per_card) return a.cost_per_card < b.cost_per_card;
    return a.player != b.player ? a.player < b.player : a.to < b.to;
  });
  // First whoever frees no more than lacks: one of many cards who left would hardly find room
  // again.
  for (const bool any : {false, true}) {
    for (const Exit& exit : exits) {
      const std::int64_t from = packing.option_of(exit.player);
      if (from == Packing::kNone) continue;
      const FlatOption& now = table.options[from];
      const std::int64_t left = packing.left(now.type);
      if (left >= 0 || (!any && now.whole_cards() > -left)) continue;
      if (has_room(table, packing, exit.player, exit.to)) packing.put(exit.player, exit.to);
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
  std::int64_t& mine = option_[player];
  std::int64_t& skipped = skipped_[table_->class_of[player]];
  if (mine != kNone) {
    left_[table_->options[mine].type] += table_->options[mine].whole_cards();
    ++skipped;
  }
  mine = option;
  if (mine != kNone) {
    left_[table_->options[mine].type] -= table_->options[mine].whole_cards();
    --skipped;
  }
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
      waiting.push_back({cheapest_option(table, stage.value_weight, prices.type, p).cost, p});
    }
    std::sort(waiting.begin(), waiting.end(), [](const Waiting& a, const Waiting& b) {
      return a.cost != b.cost ? a.cost < b.cost : a.player < b.player;
    });
    for (const Waiting& w : waiting) {
      double least = std::numeric_limits<double>::infinity();
      std::int64_t choice = Packing::kNone;
      for (std::int64_t o = table.first[w.player]; o < table.first[w.player + 1]; ++o) {
        const FlatOption& option = table.options[o];
        if (option.whole_cards() > packing.left(option.type)) continue;
        const double cost =
            stage.value_weight * option.value + option.cards * prices.type[option.type];
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

// Who could leave a type for the sake of a class above: by cards, then player.
struct Victim {
  std::int64_t cards;
  std::int64_t player;

  friend bool operator<(const Victim& a, const Victim& b) {
    return a.cards != b.cards ? a.cards < b.cards : a.player < b.player;
  }
};

// The fewest of `victims` (ascending) that free what lacks: one of just enough cards, else the
// largest ones. Empty if all together do not suffice.
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
      std::vector<std::vector<Victim>> victims(table.capacity.size());
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
      for (const std::int64_t p : leaving) packing.put(p, Packing::kNone);
      packing.put(player, option);
    }
  }
}

Packing round_prices(const Table& table, const Stage& stage, const Prices& prices,
                     int num_threads) {
  Packing packing(table, stage.num_classes);
  put_cheapest(table, stage, prices, num_threads, packing);
  relieve(table, stage, prices, packing);
  fill(table, stage, prices, packing);
  return packing;
}

}  // namespace tonnage::price
