#include "price_options.hpp"

#include <algorithm>
#include <numeric>

namespace tonnage::price {
namespace {

// Appends the options of one server; false (and nothing appended) if none fits an empty fleet.
bool append_options(const OptionTable& from, std::int64_t server, std::vector<std::int64_t>& order,
                    std::vector<double>& least_cards, Table& to) {
  order.clear();
  for (std::int64_t o = from.first[server]; o < from.first[server + 1]; ++o) {
    const Option& option = from.options[o];
    if (option.type < 0 || option.cards() <= to.capacity[option.type]) order.push_back(o);
  }
  if (order.empty()) return false;
  const auto cards = [&](std::int64_t o) {
    return from.options[o].type < 0 ? 0 : from.options[o].cards();
  };
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const double va = from.options[a].value, vb = from.options[b].value;
    if (va != vb) return va < vb;
    return cards(a) != cards(b) ? cards(a) < cards(b) : a < b;
  });
  std::fill(least_cards.begin(), least_cards.end(), std::numeric_limits<double>::infinity());
  for (const std::int64_t o : order) {
    const std::int64_t count = cards(o);
    const std::int32_t type = count == 0 ? to.num_types : from.options[o].type;
    const auto flat_cards = static_cast<double>(count);
    // An option without cards beats whatever is dearer, of every type.
    if (flat_cards >= std::min(least_cards[type], least_cards[to.num_types] + flat_cards)) continue;
    least_cards[type] = flat_cards;
    to.options.push_back({from.options[o].value, flat_cards, type});
    to.source.push_back(o);
  }
  return true;
}

}  // namespace

Table flatten(const OptionTable& table) {
  Table flat;
  flat.num_types = static_cast<std::int32_t>(table.capacity.size());
  for (const std::int64_t c : table.capacity) {
    flat.capacity.push_back(std::clamp<std::int64_t>(c, 0, kMaxCapacity));
  }
  flat.capacity.push_back(std::numeric_limits<std::int64_t>::max() / 2);

  std::vector<std::int64_t> servers;
  for (std::int64_t s = 0; s < table.num_servers(); ++s) {
    if (table.first[s] < table.first[s + 1]) servers.push_back(s);
  }
  std::stable_sort(servers.begin(), servers.end(), [&](std::int64_t a, std::int64_t b) {
    return table.priority[a] < table.priority[b];
  });

  flat.options.reserve(table.options.size());
  flat.source.reserve(table.options.size());
  flat.first.push_back(0);
  std::vector<std::int64_t> order;
  std::vector<double> least_cards(flat.capacity.size());
  for (const std::int64_t s : servers) {
    if (flat.priority.empty() || flat.priority.back() != table.priority[s]) {
      flat.first_player.push_back(flat.num_players());
      flat.priority.push_back(table.priority[s]);
      flat.hopeless.push_back(0);
    }
    if (!append_options(table, s, order, least_cards, flat)) {
      ++flat.hopeless.back();
      continue;
    }
    flat.first.push_back(static_cast<std::int64_t>(flat.options.size()));
    flat.server.push_back(s);
    flat.class_of.push_back(flat.num_classes() - 1);
  }
  flat.first_player.push_back(flat.num_players());
  return flat;
}

Table subset(const Table& table, const std::vector<std::int64_t>& players) {
  Table part;
  part.priority = table.priority;
  part.hopeless = table.hopeless;
  part.capacity = table.capacity;
  part.num_types = table.num_types;
  part.first.push_back(0);
  part.first_player.assign(table.first_player.size(), 0);
  for (const std::int64_t p : players) {
    part.options.insert(part.options.end(), table.options.begin() + table.first[p],
                        table.options.begin() + table.first[p + 1]);
    part.source.insert(part.source.end(), table.source.begin() + table.first[p],
                       table.source.begin() + table.first[p + 1]);
    part.first.push_back(static_cast<std::int64_t>(part.options.size()));
    part.server.push_back(table.server[p]);
    part.class_of.push_back(table.class_of[p]);
    ++part.first_player[table.class_of[p] + 1];
  }
  std::partial_sum(part.first_player.begin(), part.first_player.end(), part.first_player.begin());
  return part;
}

}  // namespace tonnage::price
