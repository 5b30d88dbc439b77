#include "leftovers.hpp"

namespace tonnage {
namespace {

// First option of a server, by value, with room for at least one replica; -1 if there is none.
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

void share_in_turn(const OptionTable& table, std::vector<std::int64_t> servers, FreeCards& cards,
                   std::vector<Choice>& choices) {
  while (!servers.empty()) {
    std::vector<std::int64_t> next_turn;
    for (const std::int64_t server : servers) {
      Choice& choice = choices[server];
      if (choice.option < 0) choice.option = first_with_room(table, cards, server);
      if (choice.option < 0) continue;
      const Option& option = table.options[choice.option];
      if (!cards.fits_more(option, choice.num_replicas, 1)) continue;
      cards.take_more(option, choice.num_replicas, 1);
      if (++choice.num_replicas < option.num_replicas) next_turn.push_back(server);
    }
    servers = std::move(next_turn);
  }
}

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
      share_in_turn(table, leftovers, cards, choices);
      return;
    case SaturationPolicy::kPriorityRoundRobin:
      for (auto first = leftovers.begin(); first != leftovers.end();) {
        const auto last = std::find_if(first, leftovers.end(), [&](std::int64_t s) {
          return table.priority[s] != table.priority[*first];
        });
        share_in_turn(table, {first, last}, cards, choices);
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
