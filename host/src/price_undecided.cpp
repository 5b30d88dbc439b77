#include "price_undecided.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "parallel.hpp"

namespace tonnage::price {
namespace {

constexpr std::int64_t kSkips = -1, kOpen = -2;
constexpr double kFew = 0.8;  // copying the others takes as long as some passes

// What a player chooses whatever the prices within the radius.
class Decider {
 public:
  Decider(const Table& table, const Stage& stage, const Prices& prices, const Prices& radius)
      : table_(table), stage_(stage), prices_(prices), radius_(radius) {}

  // An option, kSkips or kOpen.
  [[nodiscard]] std::int64_t operator()(std::int64_t player) const {
    const std::int32_t rank = table_.class_of[player];
    Choice least{prices_.skip[rank], radius_.skip[rank], kSkips};
    for (std::int64_t o = table_.first[player]; o < table_.first[player + 1]; ++o) {
      const Choice choice = choice_of(o);
      if (choice.cost <= least.cost) least = choice;
    }
    const double most = least.cost + least.swing;
    if (least.option != kSkips && prices_.skip[rank] - radius_.skip[rank] < most) return kOpen;
    for (std::int64_t o = table_.first[player]; o < table_.first[player + 1]; ++o) {
      if (o == least.option) continue;
      const Choice choice = choice_of(o);
      if (choice.cost - choice.swing <= most) return kOpen;
    }
    return least.option;
  }

 private:
  struct Choice {
    double cost, swing;
    std::int64_t option;
  };
  [[nodiscard]] Choice choice_of(std::int64_t o) const {
    const FlatOption& option = table_.options[o];
    return {table_.cost_of(option, stage_.value_weight, prices_.resource),
            table_.cost_of(option, 0, radius_.resource), o};
  }

  const Table& table_;
  const Stage& stage_;
  const Prices& prices_;
  const Prices& radius_;
};

void copy_options(const Table& from, std::int64_t player, Table& to) {
  for (FlatOption option : from.options_of(player)) {
    if (option.uses != FlatOption::kNoUses) {
      const FlatUse* use = &from.uses[option.uses];
      option.uses = static_cast<std::int32_t>(to.uses.size());
      for (;; ++use) {
        to.uses.push_back(*use);
        if (use->last) break;
      }
    }
    to.options.push_back(option);
  }
  to.first.push_back(std::ssize(to.options));
}

}  // namespace

std::optional<Undecided> without_decided(const Table& table, const Stage& stage,
                                         const Prices& prices, const Prices& radius,
                                         int num_threads) {
  const std::int64_t players = table.first_player[stage.num_classes];
  std::vector<std::int64_t> chosen(static_cast<std::size_t>(players));
  const Decider decide(table, stage, prices, radius);
  parallel_chunks(players, kChunk, num_threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) chosen[p] = decide(p);
  });
  std::int64_t open = 0;
  std::size_t open_options = 0;
  for (std::int64_t p = 0; p < players; ++p) {
    if (chosen[p] != kOpen) continue;
    ++open;
    open_options += table.options_of(p).size();
  }
  if (static_cast<double>(open) > kFew * static_cast<double>(players)) return std::nullopt;

  Undecided left{{}, stage, 0};
  left.table.options.reserve(open_options);
  left.table.first.reserve(static_cast<std::size_t>(open) + 1);
  left.table.class_of.reserve(static_cast<std::size_t>(open));
  left.table.first.push_back(0);
  left.table.first_player.push_back(0);
  left.table.priority = table.priority;
  left.table.num_resources = table.num_resources;
  left.table.num_types = table.num_types;
  std::vector<double> load(table.capacity.size(), 0.0);
  left.stage.reserve.resize(static_cast<std::size_t>(stage.num_classes), 0.0);
  for (std::int32_t k = 0; k < stage.num_classes; ++k) {
    for (std::int64_t p = table.first_player[k]; p < table.first_player[k + 1]; ++p) {
      const std::int64_t choice = chosen[p];
      if (choice == kOpen) {
        copy_options(table, p, left.table);
        left.table.class_of.push_back(k);
      } else if (choice == kSkips) {
        left.constant += stage.skip_cost[k];
        left.stage.reserve[k] += 1;
      } else {
        const FlatOption& option = table.options[choice];
        left.constant += stage.value_weight * option.value;
        table.for_uses(option, [&](std::int32_t r, double amount) { load[r] += amount; });
      }
    }
    left.table.first_player.push_back(std::ssize(left.table.class_of));
  }
  for (std::size_t r = 0; r < load.size(); ++r) {
    left.table.capacity.push_back(table.capacity[r] - static_cast<std::int64_t>(load[r]));
  }
  return left;
}

}  // namespace tonnage::price
