// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Reduced-cost fixing: finds servers whose cheapest choice cannot change within a radius of prices,
// and builds the remaining table.
#include "host/select/price/bound/fixing.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "host/base/parallel.hpp"

namespace tonnage::price {
namespace {

constexpr double kFew = 0.8;  // copying the others takes as long as some passes

// What a server may choose at prices within the radius.
struct Menu {
  std::int64_t options = 0;  // how many
  std::int64_t choice = -1;  // the last of them
  bool may_skip = false;
  double most = 0;  // what the cheapest choice costs at most

  [[nodiscard]] bool is_decided() const { return options + (may_skip ? 1 : 0) == 1; }
};

class Menus {
 public:
  Menus(const Table& table, const Stage& stage, const Prices& prices, const Prices& radius)
      : table_(table), stage_(stage), prices_(prices), radius_(radius) {}

  [[nodiscard]] Menu operator()(std::int64_t server) const {
    const std::int32_t rank = table_.class_of[server];
    const Cost skip{prices_.skip[rank], radius_.skip[rank]};
    Menu menu;
    menu.most = skip.most();
    for (std::int64_t o = table_.first[server]; o < table_.first[server + 1]; ++o) {
      menu.most = std::min(menu.most, cost_of(o).most());
    }
    menu.may_skip = skip.least() <= menu.most;
    for (std::int64_t o = table_.first[server]; o < table_.first[server + 1]; ++o) {
      if (!has(menu, o)) continue;
      ++menu.options;
      menu.choice = o;
    }
    return menu;
  }

  // Whether an option of the server is on the menu.
  [[nodiscard]] bool has(const Menu& menu, std::int64_t option) const {
    return cost_of(option).least() <= menu.most;
  }

 private:
  struct Cost {
    double value, swing;
    [[nodiscard]] double least() const { return value - swing; }
    [[nodiscard]] double most() const { return value + swing; }
  };
  [[nodiscard]] Cost cost_of(std::int64_t o) const {
    const FlatOption& option = table_.options[o];
    return {table_.cost_of(option, stage_.value_weight, prices_.resource),
            table_.cost_of(option, 0, radius_.resource)};
  }

  const Table& table_;
  const Stage& stage_;
  const Prices& prices_;
  const Prices& radius_;
};

void copy_menu(const Table& from, std::int64_t server, const Menus& menus, const Menu& menu,
               Table& to) {
  for (std::int64_t o = from.first[server]; o < from.first[server + 1]; ++o) {
    if (!menus.has(menu, o)) continue;
    FlatOption option = from.options[o];
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

std::optional<Unfixed> fix_servers(const Table& table, const Stage& stage, const Prices& prices,
                                   const Prices& radius, int num_threads) {
  const std::int64_t servers = table.first_server[stage.num_classes];
  std::vector<Menu> menus(static_cast<std::size_t>(servers));
  const Menus menu_of(table, stage, prices, radius);
  parallel_chunks(servers, kChunk, num_threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) menus[p] = menu_of(p);
  });
  std::size_t open = 0, options = 0;
  for (const Menu& menu : menus) {
    if (menu.is_decided()) continue;
    ++open;
    options += static_cast<std::size_t>(menu.options);
  }
  if (static_cast<double>(options) > kFew * static_cast<double>(table.first[servers])) {
    return std::nullopt;
  }

  Unfixed left{{}, stage, 0};
  left.table.options.reserve(options);
  left.table.first.reserve(open + 1);
  left.table.class_of.reserve(open);
  left.table.first.push_back(0);
  left.table.first_server.push_back(0);
  left.table.priority = table.priority;
  left.table.num_resources = table.num_resources;
  left.table.num_types = table.num_types;
  std::vector<double> load(table.capacity.size(), 0.0);
  left.stage.reserve.resize(static_cast<std::size_t>(stage.num_classes), 0.0);
  for (std::int32_t k = 0; k < stage.num_classes; ++k) {
    for (std::int64_t p = table.first_server[k]; p < table.first_server[k + 1]; ++p) {
      const Menu& menu = menus[p];
      if (!menu.is_decided()) {
        copy_menu(table, p, menu_of, menu, left.table);
        left.table.class_of.push_back(k);
      } else if (menu.may_skip) {
        left.constant += stage.skip_cost[k];
        left.stage.reserve[k] += 1;
      } else {
        const FlatOption& option = table.options[menu.choice];
        left.constant += stage.value_weight * option.value;
        table.for_uses(option, [&](std::int32_t r, double amount) { load[r] += amount; });
      }
    }
    left.table.first_server.push_back(std::ssize(left.table.class_of));
  }
  for (std::size_t r = 0; r < load.size(); ++r) {
    left.table.capacity.push_back(table.capacity[r] - static_cast<std::int64_t>(load[r]));
  }
  return left;
}

}  // namespace tonnage::price
