#include "price_core.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "exact_choice.hpp"

namespace tonnage::price {
namespace {

// Changes of mind looked at; of each kind so many players choose freely, the rest in bundles.
constexpr std::size_t kEntries = 100000;
constexpr std::size_t kSinglesPerKind = 5;

struct Change {
  double key;
  std::int64_t player;
  std::int64_t to;
};

// Changes from one (type, cards) to another; tied players of a kind can stand for each other.
using Place = std::pair<std::int32_t, std::int64_t>;
using Kind = std::pair<Place, Place>;

// Players that change together or not at all: one chooses among all its options, several between
// what they have and the change.
struct Item {
  std::vector<Change> changes;
};

// A fixed shuffle: the same members whatever the platform.
double scatter(std::int64_t player, int round) {
  auto x = static_cast<std::uint64_t>(player) * 0x9e3779b97f4a7c15u +
           static_cast<std::uint64_t>(round) * 0xbf58476d1ce4e5b9u;
  x ^= x >> 31;
  x *= 0x94d049bb133111ebu;
  x ^= x >> 29;
  return static_cast<double>(x >> 11) * 0x1p-53;
}

double reduced(const Table& table, const Stage& stage, const Prices& prices, std::int64_t player,
               std::int64_t option) {
  if (option == Packing::kNone) return prices.skip[table.class_of[player]];
  const FlatOption& o = table.options[option];
  return stage.value_weight * o.value + o.cards * prices.type[o.type];
}

Place place(const Table& table, std::int64_t option) {
  if (option == Packing::kNone) return {-1, 0};
  return {table.options[option].type, table.options[option].whole_cards()};
}

// Single changes, the cheapest at the prices first.
std::vector<Change> cheap_changes(const Table& table, const Stage& stage, const Prices& prices,
                                  const CoreLimits& limits, int round, const Packing& packing) {
  std::vector<Change> changes;
  for (std::int64_t p = 0; p < packing.num_players(); ++p) {
    const std::int64_t now = packing.option_of(p);
    const double cost = reduced(table, stage, prices, p, now);
    const double shuffle = round > 0 ? 0.25 + 3 * scatter(p, round) : 1.0;
    const auto add = [&](std::int64_t to) {
      const double rise = reduced(table, stage, prices, p, to) - cost;
      if (to == now || !(rise <= limits.max_regret)) return;
      // Those that would rather be elsewhere come first.
      changes.push_back({rise > 0 ? rise * shuffle : rise, p, to});
    };
    for (std::int64_t o = table.first[p]; o < table.first[p + 1]; ++o) add(o);
    if (std::isfinite(prices.skip[table.class_of[p]])) add(Packing::kNone);
  }
  const auto before = [](const Change& a, const Change& b) {
    if (a.key != b.key) return a.key < b.key;
    return a.player != b.player ? a.player < b.player : a.to < b.to;
  };
  if (changes.size() > kEntries) {
    std::nth_element(changes.begin(), changes.begin() + kEntries, changes.end(), before);
    changes.resize(kEntries);
  }
  std::sort(changes.begin(), changes.end(), before);
  return changes;
}

std::vector<Item> choose_items(const Table& table, const std::vector<Change>& changes,
                               const CoreLimits& limits, const Packing& packing) {
  std::map<Kind, std::vector<Change>> kinds;
  std::vector<bool> taken(static_cast<std::size_t>(packing.num_players()), false);
  std::vector<Item> items;
  for (const Change& c : changes) {
    if (taken[c.player]) continue;
    auto& kind = kinds[{place(table, packing.option_of(c.player)), place(table, c.to)}];
    kind.push_back(c);
    if (kind.size() > kSinglesPerKind || items.size() >= limits.max_items) continue;
    taken[c.player] = true;
    items.push_back({{c}});
  }
  // Bundles of 2, 4, 8, ... of a kind: with the singles they add up to any number.
  for (const auto& [kind, list] : kinds) {
    std::size_t size = 2;
    Item bundle;
    double rise = 0;
    for (const Change& c : list) {
      if (taken[c.player]) continue;
      taken[c.player] = true;
      bundle.changes.push_back(c);
      rise += c.key;
      if (rise > limits.max_regret) break;
      if (bundle.changes.size() < size) continue;
      items.push_back(std::move(bundle));
      bundle.changes.clear();
      rise = 0;
      size *= 2;
    }
  }
  return items;
}

}  // namespace

bool improve_core(const Table& table, const Stage& stage, const Prices& prices,
                  const CoreLimits& limits, const std::vector<double>& skip_cost, int round,
                  Packing& packing) {
  const std::vector<Item> items = choose_items(
      table, cheap_changes(table, stage, prices, limits, round, packing), limits, packing);
  ChoiceModel model;
  std::vector<std::int64_t> start;
  std::vector<std::vector<std::int64_t>> meaning;  // [options] what each of the item's players gets
  for (std::int32_t t = 0; t < table.num_types; ++t) model.capacity.push_back(packing.left(t));
  model.least_served.assign(1, 0);
  model.first.push_back(0);
  const auto add_option = [&](std::vector<std::int64_t> flat) {
    double value = 0;
    std::int64_t cards = 0;
    for (const std::int64_t o : flat) {
      value += table.options[o].value;
      cards += table.options[o].whole_cards();
    }
    model.objective.push_back(stage.value_weight * value);
    model.cards.push_back(cards);
    const std::int32_t type = table.options[flat[0]].type;
    model.type.push_back(type < table.num_types ? type : -1);
    meaning.push_back(std::move(flat));
  };
  for (const Item& item : items) {
    double skip = 0;
    start.push_back(Packing::kNone);
    const auto all = [&](auto&& option_of_change) {
      std::vector<std::int64_t> flat;
      for (const Change& c : item.changes) flat.push_back(option_of_change(c));
      return flat;
    };
    for (const Change& c : item.changes) {
      const std::int64_t now = packing.option_of(c.player);
      if (now != Packing::kNone && table.options[now].type < table.num_types) {
        model.capacity[table.options[now].type] += table.options[now].whole_cards();
      }
      skip += skip_cost[table.class_of[c.player]];
    }
    if (item.changes.size() == 1) {
      const std::int64_t p = item.changes[0].player;
      const std::int64_t now = packing.option_of(p);
      const double limit =
          cheapest_option(table, stage.value_weight, prices.type, p).cost + limits.max_regret;
      for (std::int64_t o = table.first[p]; o < table.first[p + 1]; ++o) {
        if (o != now && reduced(table, stage, prices, p, o) > limit) continue;
        if (o == now) start.back() = static_cast<std::int64_t>(meaning.size());
        add_option({o});
      }
    } else {
      if (packing.option_of(item.changes[0].player) != Packing::kNone) {
        start.back() = static_cast<std::int64_t>(meaning.size());
        add_option(all([&](const Change& c) { return packing.option_of(c.player); }));
      }
      if (item.changes[0].to != Packing::kNone)
        add_option(all([](const Change& c) { return c.to; }));
    }
    model.first.push_back(static_cast<std::int64_t>(meaning.size()));
    model.item_class.push_back(0);
    model.skip_objective.push_back(skip);
  }
  ExactLimits exact;
  exact.max_nodes = limits.max_nodes;
  const ChoiceAnswer answer = solve_exactly(model, exact, start);
  if (!answer.feasible || answer.chosen == start) return false;
  Packing next = packing;
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (std::size_t j = 0; j < items[i].changes.size(); ++j) {
      next.put(items[i].changes[j].player,
               answer.chosen[i] < 0 ? Packing::kNone : meaning[answer.chosen[i]][j]);
    }
  }
  if (!next.is_feasible() || !is_better(table, next, packing)) return false;
  packing = std::move(next);
  return true;
}

}  // namespace tonnage::price
