// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Improving moves: a server takes a better option; if cards are short for it, another server that
// holds some moves to an option elsewhere.
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <optional>

#include "host/select/price/model/assignment.hpp"

namespace tonnage::price {
namespace {

// Those that leave a resource at least expense, as far as the prices tell, are worth trying.
constexpr std::size_t kExitsPerResource = 1500;
constexpr std::size_t kCandidates = 20000;

// A change of the plan: unserved servers (weighted by class), then value.
struct Change {
  double skips = 0;
  double value = 0;

  friend bool operator<(const Change& a, const Change& b) {
    return a.skips != b.skips ? a.skips < b.skips : a.value < b.value;
  }
  friend Change operator+(const Change& a, const Change& b) {
    return {a.skips + b.skips, a.value + b.value};
  }
};

struct Exit {
  double guess;  // the change as the prices see it
  Change change;
  std::int64_t server;
  std::int64_t from;
  std::int64_t to;
  std::int64_t freed;  // cards
};

struct Move {
  Change change;
  std::int64_t to = Assignment::kNone;
  std::optional<Exit> exit;
};

class Improver {
 public:
  Improver(const Table& table, const Stage& stage, const Prices& prices, Assignment& assignment)
      : table_(table), stage_(stage), prices_(prices), assignment_(assignment) {
    // A server of a class outweighs a few of the next: a move touches no more.
    for (std::int32_t k = 0; k < assignment.num_classes(); ++k) {
      weight_.push_back(std::ldexp(1.0, 2 * std::min(assignment.num_classes() - 1 - k, 200)));
    }
  }

  // Whether any move was made.
  bool round() {
    list_exits();
    bool moved = false;
    for (const std::int64_t server : candidates()) {
      const Move move = best_move(server);
      if (!(move.change < Change{0, -tiny_})) continue;
      if (move.exit) assignment_.put(move.exit->server, move.exit->to);
      assignment_.put(server, move.to);
      moved = true;
    }
    return moved;
  }

 private:
  [[nodiscard]] double reduced(std::int64_t server, std::int64_t option) const {
    if (option == Assignment::kNone) return prices_.skip[table_.class_of[server]];
    return table_.cost_of(table_.options[option], stage_.value_weight, prices_.resource);
  }
  [[nodiscard]] Change difference(std::int64_t server, std::int64_t from, std::int64_t to) const {
    const double weight = weight_[table_.class_of[server]];
    Change change;
    if (from == Assignment::kNone)
      change.skips -= weight;
    else
      change.value -= table_.options[from].value;
    if (to == Assignment::kNone)
      change.skips += weight;
    else
      change.value += table_.options[to].value;
    return change;
  }

  void list_exits() {
    exits_.assign(table_.capacity.size(), {});
    for (std::int64_t p = 0; p < assignment_.num_servers(); ++p) {
      const std::int64_t from = assignment_.option_of(p);
      if (from == Assignment::kNone || table_.options[from].cards == 0) continue;
      const FlatOption& now = table_.options[from];
      const double cost = reduced(p, from);
      table_.for_uses(now, [&](std::int32_t r, double amount) {
        const auto has = static_cast<std::int64_t>(amount);
        const auto add = [&](std::int64_t to, std::int64_t freed) {
          exits_[r].push_back({reduced(p, to) - cost, difference(p, from, to), p, from, to, freed});
        };
        for (std::int64_t o = table_.first[p]; o < table_.first[p + 1]; ++o) {
          const std::int64_t freed = has - table_.taken(table_.options[o], r);
          if (freed > 0 && o != from) add(o, freed);
        }
        add(Assignment::kNone, has);
      });
    }
    roomy_.assign(exits_.size(), {});
    for (std::size_t r = 0; r < exits_.size(); ++r) {
      auto& exits = exits_[r];
      const auto by_guess = [](const Exit& a, const Exit& b) {
        if (a.guess != b.guess) return a.guess < b.guess;
        return a.server != b.server ? a.server < b.server : a.to < b.to;
      };
      if (exits.size() > kExitsPerResource) {
        std::nth_element(exits.begin(), exits.begin() + kExitsPerResource, exits.end(), by_guess);
        exits.resize(kExitsPerResource);
      }
      std::sort(exits.begin(), exits.end(), [](const Exit& a, const Exit& b) {
        if (a.change < b.change || b.change < a.change) return a.change < b.change;
        return a.server != b.server ? a.server < b.server : a.to < b.to;
      });
      std::copy_if(exits.begin(), exits.end(), std::back_inserter(roomy_[r]), [&](const Exit& e) {
        return e.to == Assignment::kNone || assignment_.has_room(e.server, e.to);
      });
    }
  }

  // Servers that the prices would have elsewhere, the most urgent first.
  [[nodiscard]] std::vector<std::int64_t> candidates() const {
    struct Candidate {
      std::int32_t unserved_rank;  // num_classes for the served
      double regret;
      std::int64_t server;
    };
    std::vector<Candidate> list;
    for (std::int64_t p = 0; p < assignment_.num_servers(); ++p) {
      const std::int64_t o = assignment_.option_of(p);
      const double best = cheapest_option(table_, stage_.value_weight, prices_.resource, p).cost;
      if (o == Assignment::kNone) {
        list.push_back({table_.class_of[p], -best, p});
      } else if (const double regret = reduced(p, o) - best; regret > 0) {
        list.push_back({assignment_.num_classes(), regret, p});
      }
    }
    const auto first = [](const Candidate& a, const Candidate& b) {
      if (a.unserved_rank != b.unserved_rank) return a.unserved_rank < b.unserved_rank;
      return a.regret != b.regret ? a.regret > b.regret : a.server < b.server;
    };
    if (list.size() > kCandidates) {
      std::nth_element(list.begin(), list.begin() + kCandidates, list.end(), first);
      list.resize(kCandidates);
    }
    std::sort(list.begin(), list.end(), first);
    std::vector<std::int64_t> servers;
    for (const Candidate& c : list) servers.push_back(c.server);
    return servers;
  }

  // What lacks of an option's needs, of the resource that most servers compete for: the first one.
  struct Lack {
    std::int32_t resource;
    std::int64_t amount;
  };
  [[nodiscard]] Lack lack_of(std::int64_t server, std::int64_t option) const {
    Lack lack{-1, 0};
    table_.for_uses(table_.options[option], [&](std::int32_t r, double amount) {
      if (lack.amount > 0) return;
      lack = {r, static_cast<std::int64_t>(amount) - assignment_.left(r) -
                     assignment_.taken(server, r)};
    });
    return lack;
  }

  // Whether the server may take `option` once `exit` is made.
  [[nodiscard]] bool fits(std::int64_t server, std::int64_t option, const Exit& exit) const {
    const FlatOption& open_nodes = table_.options[exit.from];
    const auto room = [&](std::int32_t r) {
      return assignment_.left(r) + assignment_.taken(server, r) + table_.taken(open_nodes, r);
    };
    const auto taken = [&](std::int64_t o, std::int32_t r) {
      return o == Assignment::kNone ? 0 : table_.taken(table_.options[o], r);
    };
    bool fits = true;
    const auto check = [&](std::int32_t r, double) {
      fits = fits && taken(option, r) + taken(exit.to, r) <= room(r);
    };
    table_.for_uses(table_.options[option], check);
    if (exit.to != Assignment::kNone) table_.for_uses(table_.options[exit.to], check);
    return fits;
  }

  [[nodiscard]] Move best_move(std::int64_t server) const {
    Move best;
    const std::int64_t from = assignment_.option_of(server);
    for (std::int64_t o = table_.first[server]; o < table_.first[server + 1]; ++o) {
      if (o == from) continue;
      const Change gain = difference(server, from, o);
      if (!(gain < best.change)) continue;
      const Lack lack = lack_of(server, o);
      if (lack.amount <= 0) {
        best = {gain, o, std::nullopt};
        continue;
      }
      // Who has nothing can give nothing in exchange.
      const auto& exits = from == Assignment::kNone ? roomy_ : exits_;
      for (const Exit& exit : exits[lack.resource]) {
        const Change change = gain + exit.change;
        if (!(change < best.change)) break;
        if (exit.freed < lack.amount || exit.server == server) continue;
        if (assignment_.option_of(exit.server) != exit.from) continue;
        if (!fits(server, o, exit)) continue;
        best = {change, o, exit};
        break;
      }
    }
    return best;
  }

  const Table& table_;
  const Stage& stage_;
  const Prices& prices_;
  Assignment& assignment_;
  std::vector<double> weight_;
  std::vector<std::vector<Exit>> exits_;  // [resources + 1] what frees some of it
  std::vector<std::vector<Exit>> roomy_;  // those that there was room for when the round began
  double tiny_ = 1e-9;
};

}  // namespace

void improve(const Table& table, const Stage& stage, const Prices& prices, int max_rounds,
             Assignment& assignment) {
  Improver improver(table, stage, prices, assignment);
  for (int round = 0; round < max_rounds && improver.round(); ++round) {
  }
}

}  // namespace tonnage::price
