// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Builds the flat table of the price solver from an option table, and perturbs values that tie.
#include "host/select/price/model/table.hpp"

#include <algorithm>

namespace tonnage::price {
namespace {

// Appends the options of one server; false (and nothing appended) if none fits an empty fleet.
bool append_options(const OptionTable& from, std::int64_t server, Table& to) {
  const std::size_t before = to.options.size();
  for (const std::int64_t o : undominated_options(from, server)) {
    const Option& option = from.options[o];
    const std::int64_t cards = option.type < 0 ? 0 : option.cards();
    const auto uses = from.uses_of(option);
    if (cards > 0 && cards > to.capacity[option.type]) continue;
    if (std::any_of(uses.begin(), uses.end(),
                    [&](const Use& use) { return use.whole > to.capacity[use.resource]; })) {
      continue;
    }
    const std::int32_t type = cards == 0 ? to.num_resources : option.type;
    to.options.push_back({option.objective, static_cast<double>(cards), type});
    to.source.push_back(o);
    for (const Use& use : uses) {
      if (use.whole == 0) continue;
      std::int32_t& first = to.options.back().uses;
      if (first == FlatOption::kNoUses) {
        first = static_cast<std::int32_t>(to.uses.size());
      } else {
        to.uses.back().last = false;
      }
      to.uses.push_back({static_cast<double>(use.whole), use.resource, true});
    }
  }
  return to.options.size() > before;
}

}  // namespace

Table flatten(const OptionTable& table) {
  Table flat;
  flat.num_types = static_cast<std::int32_t>(table.capacity.size());
  flat.num_resources = flat.num_types + static_cast<std::int32_t>(table.limits.size());
  for (std::int32_t r = 0; r < flat.num_resources; ++r) {
    flat.capacity.push_back(std::clamp<std::int64_t>(table.available(r), 0, kMaxCapacity));
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
  for (const std::int64_t s : servers) {
    if (flat.priority.empty() || flat.priority.back() != table.priority[s]) {
      flat.first_server.push_back(flat.num_servers());
      flat.priority.push_back(table.priority[s]);
      flat.hopeless.push_back(0);
    }
    if (!append_options(table, s, flat)) {
      ++flat.hopeless.back();
      continue;
    }
    flat.first.push_back(static_cast<std::int64_t>(flat.options.size()));
    flat.source_server.push_back(s);
    flat.class_of.push_back(flat.num_classes() - 1);
  }
  flat.first_server.push_back(flat.num_servers());
  return flat;
}

Table perturbed(const Table& table, double size, std::uint64_t seed) {
  Table result = table;
  for (std::size_t o = 0; o < result.options.size(); ++o) {
    // The finaliser of a well-known 64-bit hash: neighbours differ in every bit.
    std::uint64_t x = (static_cast<std::uint64_t>(o + 1) + (seed << 40)) * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    result.options[o].value += size * static_cast<double>(x >> 11) * 0x1p-53;
  }
  return result;
}

}  // namespace tonnage::price
