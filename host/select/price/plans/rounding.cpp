// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Rounds cheapest choices to feasible assignments: relieves overfull resources, fills free ones,
// and restores service levels. Also holds the members of Assignment (an assignment).
#include <algorithm>
#include <cmath>

#include "core/src/check.hpp"
#include "host/base/parallel.hpp"
#include "host/select/price/model/assignment.hpp"

namespace tonnage::price {
namespace {

// A way to relieve a resource: the server takes option `to` instead (kNone: goes without).
struct Exit {
  bool breaks_level;  // leaves a server unserved whom the stage wants served
  double cost_per_unit;
  std::int64_t server;
  std::int64_t to;
};

// Assigns the cheapest choice of each server, feasible or not.
void put_cheapest(const Table& table, const Stage& stage, const Prices& prices, int num_threads,
                  Assignment& assignment) {
  const std::int64_t servers = assignment.num_servers();
  std::vector<std::int64_t> choice(static_cast<std::size_t>(servers));
  parallel_chunks(servers, kChunk, num_threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      const Cheapest best = cheapest_option(table, stage.value_weight, prices.resource, p);
      choice[p] = prices.skip[table.class_of[p]] < best.cost ? Assignment::kNone : best.option;
    }
  });
  for (std::int64_t p = 0; p < servers; ++p) assignment.put(p, choice[p]);
}

// The overload of every resource in cards; for limits, converted by what usually goes with a card.
class Overload {
 public:
  Overload(const Table& table, const Assignment& assignment)
      : table_(table), assignment_(assignment) {
    per_card_.assign(static_cast<std::size_t>(table.num_resources) + 1, 1.0);
    if (table.num_types == table.num_resources) return;
    std::vector<double> taken(per_card_.size(), 0.0);
    double cards = 1;
    for (std::int64_t p = 0; p < assignment.num_servers(); ++p) {
      if (assignment.option_of(p) == Assignment::kNone) continue;
      const FlatOption& o = table.options[assignment.option_of(p)];
      if (o.type < table.num_types) cards += o.cards;
      table.for_uses(o, [&](std::int32_t r, double amount) { taken[r] += amount; });
    }
    for (std::int32_t r = table.num_types; r < table.num_resources; ++r) {
      per_card_[r] = cards / std::max(1.0, taken[r]);
    }
  }

  [[nodiscard]] bool concerns(const FlatOption& option) const {
    bool found = false;
    table_.for_uses(option,
                    [&](std::int32_t r, double) { found = found || assignment_.left(r) < 0; });
    return found;
  }
  // What an option frees of overfull resources if it gives way to another, or to none.
  [[nodiscard]] double freed(const FlatOption& now, const FlatOption* other) const {
    double sum = 0;
    table_.for_uses(now, [&](std::int32_t r, double amount) {
      if (assignment_.left(r) >= 0) return;
      const double less =
          other == nullptr ? amount : amount - static_cast<double>(table_.taken(*other, r));
      sum += less * per_card_[r];
    });
    return sum;
  }

 private:
  const Table& table_;
  const Assignment& assignment_;
  std::vector<double> per_card_;  // [resources + 1]
};

void add_exits(const Table& table, const Stage& stage, const Prices& prices,
               const Overload& overload, std::int64_t server, std::int64_t from,
               std::vector<Exit>& exits) {
  const FlatOption& now = table.options[from];
  const auto reduced = [&](const FlatOption& o) {
    return table.cost_of(o, stage.value_weight, prices.resource);
  };
  const double cost = reduced(now);
  for (std::int64_t o = table.first[server]; o < table.first[server + 1]; ++o) {
    const FlatOption& other = table.options[o];
    const double freed = overload.freed(now, &other);
    if (freed > 0) exits.push_back({false, (reduced(other) - cost) / freed, server, o});
  }
  const double skip = prices.skip[table.class_of[server]];
  const double freed = overload.freed(now, nullptr);
  exits.push_back({!std::isfinite(skip), std::isfinite(skip) ? (skip - cost) / freed : -freed,
                   server, Assignment::kNone});
}

bool may_leave_for(const Table& table, const Assignment& assignment, std::int64_t server,
                   std::int64_t to) {
  if (to == Assignment::kNone) return true;
  bool room = true;
  table.for_uses(table.options[to], [&](std::int32_t r, double amount) {
    const auto wanted = static_cast<std::int64_t>(amount);
    const std::int64_t has = assignment.taken(server, r);
    // Of what is overfull less is progress.
    room = room && (wanted < has || wanted <= assignment.left(r) + has);
  });
  return room;
}

void relieve(const Table& table, const Stage& stage, const Prices& prices, Assignment& assignment) {
  std::vector<Exit> exits;
  const Overload overload(table, assignment);
  for (std::int64_t p = 0; p < assignment.num_servers(); ++p) {
    const std::int64_t o = assignment.option_of(p);
    if (o == Assignment::kNone || !overload.concerns(table.options[o])) continue;
    add_exits(table, stage, prices, overload, p, o, exits);
  }
  std::sort(exits.begin(), exits.end(), [&](const Exit& a, const Exit& b) {
    if (a.breaks_level != b.breaks_level) return b.breaks_level;
    if (a.breaks_level && table.class_of[a.server] != table.class_of[b.server]) {
      return table.class_of[a.server] > table.class_of[b.server];
    }
    if (a.cost_per_unit != b.cost_per_unit) return a.cost_per_unit < b.cost_per_unit;
    return a.server != b.server ? a.server < b.server : a.to < b.to;
  });
  // First servers that free no more than needed: one with many cards would hardly find room again.
  for (const bool any : {false, true}) {
    for (const Exit& exit : exits) {
      const std::int64_t from = assignment.option_of(exit.server);
      if (from == Assignment::kNone) continue;
      const FlatOption& now = table.options[from];
      if (!overload.concerns(now)) continue;
      const std::int64_t left = assignment.left(now.type);
      if (!any && left < 0 && now.whole_cards() > -left) continue;
      if (may_leave_for(table, assignment, exit.server, exit.to))
        assignment.put(exit.server, exit.to);
    }
  }
}

}  // namespace

Assignment::Assignment(const Table& table, std::int32_t num_classes)
    : table_(&table), left_(table.capacity) {
  extend(table, num_classes);
}

void Assignment::extend(const Table& table, std::int32_t num_classes) {
  table_ = &table;
  option_.resize(static_cast<std::size_t>(table.first_server[num_classes]), kNone);
  while (this->num_classes() < num_classes) {
    skipped_.push_back(table.servers_of(this->num_classes()));
  }
}

void Assignment::put(std::int64_t server, std::int64_t option) {
  TONNAGE_CHECK(option == kNone ||
                (option >= table_->first[server] && option < table_->first[server + 1]));
  std::int64_t& mine = option_[server];
  std::int64_t& skipped = skipped_[table_->class_of[server]];
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
  TONNAGE_CHECK(skipped >= 0 && skipped <= table_->servers_of(table_->class_of[server]));
}

bool Assignment::has_room(std::int64_t server, std::int64_t option) const {
  bool room = true;
  table_->for_uses(table_->options[option], [&](std::int32_t r, double amount) {
    room = room && static_cast<std::int64_t>(amount) <= left_[r] + taken(server, r);
  });
  return room;
}

bool Assignment::is_feasible() const {
  return std::all_of(left_.begin(), left_.end(), [](std::int64_t l) { return l >= 0; });
}

double Assignment::value(const Table& table) const {
  double sum = 0, chunk = 0;
  for (std::int64_t p = 0; p < num_servers(); ++p) {
    if (option_[p] != kNone) chunk += table.options[option_[p]].value;
    if ((p + 1) % kChunk == 0) {
      sum += chunk;
      chunk = 0;
    }
  }
  return sum + chunk;
}

bool is_better(const Table& table, const Assignment& a, const Assignment& b) {
  if (a.skipped() != b.skipped()) return a.skipped() < b.skipped();
  return a.value(table) < b.value(table);
}

void fill(const Table& table, const Stage& stage, const Prices& prices, Assignment& assignment) {
  struct Waiting {
    double cost;
    std::int64_t server;
  };
  std::vector<Waiting> waiting;
  for (std::int32_t k = 0; k < assignment.num_classes(); ++k) {
    if (assignment.skipped(k) == 0) continue;
    waiting.clear();
    for (std::int64_t p = table.first_server[k]; p < table.first_server[k + 1]; ++p) {
      if (assignment.option_of(p) != Assignment::kNone) continue;
      waiting.push_back({cheapest_option(table, stage.value_weight, prices.resource, p).cost, p});
    }
    std::sort(waiting.begin(), waiting.end(), [](const Waiting& a, const Waiting& b) {
      return a.cost != b.cost ? a.cost < b.cost : a.server < b.server;
    });
    for (const Waiting& w : waiting) {
      double least = std::numeric_limits<double>::infinity();
      std::int64_t choice = Assignment::kNone;
      for (std::int64_t o = table.first[w.server]; o < table.first[w.server + 1]; ++o) {
        if (!assignment.has_room(w.server, o)) continue;
        const double cost = table.cost_of(table.options[o], stage.value_weight, prices.resource);
        if (cost < least) {
          least = cost;
          choice = o;
        }
      }
      if (choice != Assignment::kNone) assignment.put(w.server, choice);
    }
  }
}

namespace {

// A server that could leave a type for the sake of a higher class; by cards, then server.
struct Victim {
  std::int64_t cards;
  std::int64_t server;

  friend bool operator<(const Victim& a, const Victim& b) {
    return a.cards != b.cards ? a.cards < b.cards : a.server < b.server;
  }
};

// The fewest of `victims` (ascending) that free what is needed: one with just enough cards, else
// the largest ones. Empty if all together do not suffice.
std::vector<std::int64_t> pick_victims(const std::vector<Victim>& victims, std::int64_t lacking) {
  std::vector<std::int64_t> picked;
  const auto enough = std::lower_bound(victims.begin(), victims.end(), Victim{lacking, -1});
  if (enough != victims.end()) return {enough->server};
  for (auto v = victims.rbegin(); v != victims.rend() && lacking > 0; ++v) {
    picked.push_back(v->server);
    lacking -= v->cards;
  }
  if (lacking > 0) picked.clear();
  return picked;
}

}  // namespace

void restore_levels(const Table& table, const Stage& stage, Assignment& assignment) {
  constexpr int kMaxServed = 200;
  int served = 0;
  for (std::int32_t k = 0; k + 1 < assignment.num_classes(); ++k) {
    while (stage.may_skip[k] != Stage::kNoLimit && assignment.skipped(k) > stage.may_skip[k]) {
      if (++served > kMaxServed) return;
      std::vector<std::vector<Victim>> victims(table.capacity.size());  // by type
      for (std::int64_t p = table.first_server[k + 1]; p < assignment.num_servers(); ++p) {
        if (assignment.option_of(p) == Assignment::kNone) continue;
        const FlatOption& o = table.options[assignment.option_of(p)];
        if (o.cards > 0) victims[o.type].push_back({o.whole_cards(), p});
      }
      for (auto& list : victims) std::sort(list.begin(), list.end());
      std::int64_t server = -1, option = Assignment::kNone;
      std::vector<std::int64_t> leaving;
      for (std::int64_t p = table.first_server[k]; p < table.first_server[k + 1]; ++p) {
        if (assignment.option_of(p) != Assignment::kNone) continue;
        for (std::int64_t o = table.first[p]; o < table.first[p + 1]; ++o) {
          const FlatOption& wanted = table.options[o];
          const std::int64_t lacking = wanted.whole_cards() - assignment.left(wanted.type);
          std::vector<std::int64_t> picked;
          if (lacking > 0) {
            picked = pick_victims(victims[wanted.type], lacking);
            if (picked.empty()) continue;
          }
          if (server < 0 || picked.size() < leaving.size()) {
            server = p;
            option = o;
            leaving = std::move(picked);
          }
        }
      }
      if (server < 0) return;
      std::vector<std::int64_t> had;
      for (const std::int64_t p : leaving) {
        had.push_back(assignment.option_of(p));
        assignment.put(p, Assignment::kNone);
      }
      if (!assignment.has_room(server,
                               option)) {  // limits, of which the choice above knows nothing
        for (std::size_t i = 0; i < leaving.size(); ++i) assignment.put(leaving[i], had[i]);
        return;
      }
      assignment.put(server, option);
    }
  }
}

Assignment cheapest_choices(const Table& table, const Stage& stage, const Prices& prices,
                            int num_threads) {
  Assignment assignment(table, stage.num_classes);
  put_cheapest(table, stage, prices, num_threads, assignment);
  return assignment;
}

Assignment round_prices(const Table& table, const Stage& stage, const Prices& prices,
                        int num_threads) {
  Assignment assignment = cheapest_choices(table, stage, prices, num_threads);
  relieve(table, stage, prices, assignment);
  fill(table, stage, prices, assignment);
  return assignment;
}

}  // namespace tonnage::price
