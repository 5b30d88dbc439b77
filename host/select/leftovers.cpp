// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Best effort by saturation policy: shares the cards that whole allocations leave over.
#include "host/select/leftovers.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tonnage {
namespace {

// The first option of a server, by value, with room for at least one replica; -1 if none.
std::int64_t first_with_room(const OptionTable& table, const FreeCards& cards,
                             std::int64_t server) {
  for (std::int64_t o = table.first[server]; o < table.first[server + 1]; ++o) {
    if (cards.replicas_that_fit(table.options[o]) > 0) return o;
  }
  return -1;
}

void share_exhaustively(const OptionTable& table, const std::vector<std::int64_t>& servers,
                        FreeCards& cards, std::vector<Choice>& choices) {
  for (const std::int64_t server : servers) {
    const std::int64_t option = first_with_room(table, cards, server);
    if (option < 0) continue;
    const std::int64_t granted = cards.replicas_that_fit(table.options[option]);
    cards.take_more(table.options[option], 0, granted);
    choices[server] = {option, granted};
  }
}

// Gives one replica to each server in turn, until no more fit or no server needs more. Turns in
// which every server gets one are made many at a time, so the time does not grow with the replicas.
class Turns {
 public:
  Turns(const OptionTable& table, FreeCards& cards, std::vector<Choice>& choices)
      : table_(table), cards_(cards), choices_(choices) {}

  void share(const std::vector<std::int64_t>& servers) {
    for (const std::int64_t server : servers) {
      choices_[server] = {first_with_room(table_, cards_, server), 0};
      if (choices_[server].option >= 0 && grant_one(server)) in_turn_.push_back(server);
    }
    while (!in_turn_.empty()) {
      grant_whole_turns();
      std::vector<std::int64_t> next_turn;
      for (const std::int64_t server : in_turn_) {
        if (grant_one(server)) next_turn.push_back(server);
      }
      in_turn_ = std::move(next_turn);
    }
  }

 private:
  [[nodiscard]] const Option& option_of(std::int64_t server) const {
    return table_.options[choices_[server].option];
  }

  // Whether the server takes part in the next turn.
  bool grant_one(std::int64_t server) {
    const Option& option = option_of(server);
    std::int64_t& has = choices_[server].num_replicas;
    if (!cards_.fits_more(option, has, 1)) return false;
    cards_.take_more(option, has, 1);
    return ++has < option.num_replicas;
  }

  // A number of turns that certainly have room for all servers and are no server's last, since a
  // server may take other amounts in its first and last turn.
  void grant_whole_turns() {
    std::vector<std::int64_t> wanted(static_cast<std::size_t>(cards_.num_resources()), 0);
    std::int64_t turns = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t server : in_turn_) {
      const Option& option = option_of(server);
      turns = std::min(turns, option.num_replicas - 1 - choices_[server].num_replicas);
      // No sum overflows, because each server has had as much before out of one capacity.
      if (option.type >= 0) wanted[option.type] += option.cards_per_replica;
      for (const Use& use : table_.uses_of(option)) wanted[use.resource] += use.per_replica;
    }
    for (std::int32_t r = 0; r < cards_.num_resources(); ++r) {
      if (wanted[r] > 0) turns = std::min(turns, cards_.free(r) / wanted[r]);
    }
    if (turns <= 0) return;
    for (const std::int64_t server : in_turn_) {
      std::int64_t& has = choices_[server].num_replicas;
      cards_.take_more(option_of(server), has, turns);
      has += turns;
    }
  }

  const OptionTable& table_;
  FreeCards& cards_;
  std::vector<Choice>& choices_;
  std::vector<std::int64_t> in_turn_;
};

}  // namespace

void share_leftovers(const OptionTable& table, const std::vector<std::int64_t>& leftovers,
                     SaturationPolicy policy, FreeCards& cards, std::vector<Choice>& choices) {
  switch (policy) {
    case SaturationPolicy::kNone:
      return;
    case SaturationPolicy::kPriorityExhaustive:
      share_exhaustively(table, leftovers, cards, choices);
      return;
    case SaturationPolicy::kRoundRobin:
      Turns(table, cards, choices).share(leftovers);
      return;
    case SaturationPolicy::kPriorityRoundRobin:
      for (auto first = leftovers.begin(); first != leftovers.end();) {
        const auto last = std::find_if(first, leftovers.end(), [&](std::int64_t s) {
          return table.priority[s] != table.priority[*first];
        });
        Turns(table, cards, choices).share({first, last});
        first = last;
      }
      return;
  }
}

void share_among_unserved(const OptionTable& table, SaturationPolicy policy, bool delayed,
                          FreeCards& cards, std::vector<Choice>& choices) {
  std::vector<std::int64_t> unserved;
  for (std::int64_t s = 0; s < table.num_servers(); ++s) {
    if (choices[s].option < 0 && table.first[s] < table.first[s + 1]) unserved.push_back(s);
  }
  std::stable_sort(unserved.begin(), unserved.end(), [&](std::int64_t a, std::int64_t b) {
    return table.priority[a] < table.priority[b];
  });
  if (delayed) {
    share_leftovers(table, unserved, policy, cards, choices);
    return;
  }
  for (auto first = unserved.begin(); first != unserved.end();) {
    const auto last = std::find_if(first, unserved.end(), [&](std::int64_t s) {
      return table.priority[s] != table.priority[*first];
    });
    share_leftovers(table, {first, last}, policy, cards, choices);
    first = last;
  }
}

}  // namespace tonnage
