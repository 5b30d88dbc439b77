// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Splits the load of a server over two accelerators, and computes cost, value, power and metrics of
// such mixes. The rule of which mixes are offered is at MixOffers in mixes.hpp.
#include "host/options/mixes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>

#include "host/options/undominated.hpp"

namespace tonnage {
namespace {

constexpr std::int64_t kMaxSplits = 16;
// The power of a mix needs a pass over the states of both queues. All mixes of a fleet together may
// take about this many states. The two cheapest accelerators are always combined.
constexpr double kMostStates = 1e9;
constexpr std::size_t kLeastLines = 2;

// Shares of the load by goodput.
std::array<double, 2> shares_of(const std::vector<LineOutcome>& outcomes, const Mix& mix) {
  std::array<double, 2> goodput;
  for (int i = 0; i < 2; ++i) {
    goodput[i] = static_cast<double>(mix.parts[i].num_replicas) *
                 outcomes[mix.parts[i].line].rate_per_replica_per_ms;
  }
  return {goodput[0] / (goodput[0] + goodput[1]), goodput[1] / (goodput[0] + goodput[1])};
}

// The rows of one part of a mix: its share of the load on its replicas.
struct PartRows {
  ServerRow server;
  const PerfRow& perf;
  const Accelerator& accelerator;
  LineOutcome outcome;
};

// Calls body(part, share, rows) for both parts.
template <class Body>
void for_parts(const Problem& problem, const std::vector<LineOutcome>& outcomes, const Mix& mix,
               const Body& body) {
  const std::array<double, 2> shares = shares_of(outcomes, mix);
  for (int i = 0; i < 2; ++i) {
    const LineRow& line = problem.lines[mix.parts[i].line];
    const PerfRow& perf = problem.perfs[line.perf];
    PartRows rows{problem.servers[line.server], perf, problem.accelerators[perf.accelerator],
                  outcomes[mix.parts[i].line]};
    rows.server.total_rate_per_ms *= shares[i];
    rows.outcome.num_replicas = mix.parts[i].num_replicas;
    body(i, shares[i], rows);
  }
}

// Watts that the accelerators of a mix draw.
double mix_power_w(const Problem& problem, const std::vector<LineOutcome>& outcomes,
                   const Mix& mix) {
  double power_w = 0;
  for_parts(problem, outcomes, mix, [&](int, double, const PartRows& rows) {
    power_w += allocation_power_w(rows.server, rows.perf, rows.accelerator, rows.outcome);
  });
  return power_w;
}

bool by_objective(const OfferedMix& a, const OfferedMix& b) { return a.objective < b.objective; }

}  // namespace

MixTransition mix_transition(const Problem& problem, const Mix& mix, double cost) {
  const std::int64_t server = problem.lines[mix.parts[0].line].server;
  const auto now =
      std::lower_bound(problem.current_mixes.begin(), problem.current_mixes.end(), server,
                       [](const CurrentMix& m, std::int64_t s) { return m.server < s; });
  MixTransition t{0, false, true};
  if (now != problem.current_mixes.end() && now->server == server &&
      now->parts.size() == mix.parts.size()) {
    t.same_accelerators = true;
    t.changed = false;
    for (std::size_t i = 0; i < mix.parts.size(); ++i) {
      const PerfRow& perf = problem.perfs[problem.lines[mix.parts[i].line].perf];
      t.same_accelerators = t.same_accelerators && now->parts[i].first == perf.accelerator;
      t.changed = t.changed || now->parts[i].second != mix.parts[i].num_replicas;
    }
    t.changed = t.changed || !t.same_accelerators;
  }
  // The penalty compares replica counts only for equality.
  t.value = transition_penalty(t.same_accelerators, 0, problem.servers[server].current_cost,
                               t.changed ? 1 : 0, cost);
  return t;
}

std::array<PartMetrics, 2> mix_metrics(const Problem& problem,
                                       const std::vector<LineOutcome>& outcomes, const Mix& mix) {
  std::array<PartMetrics, 2> parts;
  for_parts(problem, outcomes, mix, [&](int i, double share, const PartRows& rows) {
    parts[i] = {share, rows.outcome.num_replicas,
                allocation_metrics(rows.server, rows.perf, rows.accelerator, rows.outcome)};
  });
  return parts;
}

MixOffers::MixOffers(const Problem& problem, const OptimizerSpec& optimizer,
                     const std::vector<LineOutcome>& outcomes)
    : problem_(problem),
      optimizer_(optimizer),
      outcomes_(outcomes),
      most_lines_(
          static_cast<std::size_t>(most_combined_accelerators(std::ssize(problem.servers)))),
      most_states_(kMostStates /
                   static_cast<double>(std::max<std::int64_t>(1, std::ssize(problem.servers)))) {}

std::vector<MixOffers::Line> MixOffers::lines_of(std::int64_t server) const {
  std::vector<Line> lines;
  const ServerRow& row = problem_.servers[server];
  if (row.load_kind != LoadKind::kLoaded) return lines;
  for (std::int64_t i = problem_.first_line[server]; i < problem_.first_line[server + 1]; ++i) {
    const LineOutcome& outcome = outcomes_[i];
    if (!outcome.sized() || !(outcome.rate_per_replica_per_ms > 0)) continue;
    const std::int64_t alone =
        replicas_needed(row.total_rate_per_ms, outcome.rate_per_replica_per_ms, 1);
    if (alone == 0) continue;
    lines.push_back({i, alone, outcome.rate_per_replica_per_ms,
                     problem_.perfs[problem_.lines[i].perf].cost_per_replica});
  }
  keep_affordable(lines);
  return lines;
}

void MixOffers::keep_affordable(std::vector<Line>& lines) const {
  if (num_affordable(lines) == lines.size()) return;
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return a.cost * b.goodput_per_ms < b.cost * a.goodput_per_ms;
  });
  lines.resize(num_affordable(lines));
  std::sort(lines.begin(), lines.end(),
            [](const Line& a, const Line& b) { return a.line < b.line; });
}

std::size_t MixOffers::num_affordable(const std::vector<Line>& lines) const {
  const std::size_t most = std::min(lines.size(), most_lines_);
  if (!optimizer_.weighs_power()) return most;
  const auto states_of = [&](const Line& line) {
    return static_cast<double>(outcomes_[line.line].max_batch);
  };
  double states = 0;
  for (std::size_t i = 1; i < most; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      states += static_cast<double>(splits_of(lines[i], lines[j])) *
                (states_of(lines[i]) + states_of(lines[j]));
    }
    if (states > most_states_) return std::max(i, kLeastLines);
  }
  return most;
}

std::int64_t MixOffers::splits_of(const Line& a, const Line& b) {
  return std::min(kMaxSplits, std::min(a.alone, b.alone) - 1);
}

void MixOffers::add(std::int64_t server, const Line& a, const Line& b,
                    std::vector<OfferedMix>& mixes) const {
  const ServerRow& row = problem_.servers[server];
  // Tries every replica count of the accelerator that needs fewer, or evenly spread ones.
  const bool a_first = a.alone <= b.alone;
  const Line& few = a_first ? a : b;
  const Line& many = a_first ? b : a;
  const std::int64_t most = few.alone - 1;
  const std::int64_t splits = splits_of(a, b);
  for (std::int64_t split = 1; split <= splits; ++split) {
    std::int64_t n = most <= kMaxSplits ? split : (split * most + splits - 1) / splits;
    const double rest = row.total_rate_per_ms - static_cast<double>(n) * few.goodput_per_ms;
    if (!(rest > 0)) break;
    const std::int64_t wanted = row.min_replicas - n;
    std::int64_t m = replicas_needed(rest, many.goodput_per_ms, std::max<std::int64_t>(1, wanted));
    if (m == 0) continue;
    (few.goodput_per_ms >= many.goodput_per_ms ? n : m) += optimizer_.spare_replicas;
    if (row.max_replicas > 0 && n + m > row.max_replicas) continue;
    OfferedMix offered{};
    offered.mix.parts = {Mix::Part{a.line, a_first ? n : m}, Mix::Part{b.line, a_first ? m : n}};
    offered.cost = static_cast<double>(n) * few.cost + static_cast<double>(m) * many.cost;
    const MixTransition t = mix_transition(problem_, offered.mix, offered.cost);
    offered.value = t.value;
    offered.changed = t.changed;
    if (optimizer_.weighs_power()) {
      offered.power_w = mix_power_w(problem_, outcomes_, offered.mix);
    }
    offered.objective = weighted_objective(optimizer_, row, !t.same_accelerators, offered.value,
                                           offered.cost, offered.power_w);
    mixes.push_back(offered);
  }
}

std::vector<OfferedMix> MixOffers::of(std::int64_t server) const {
  const std::vector<Line> lines = lines_of(server);
  std::map<std::int32_t, std::vector<std::size_t>> by_type;  // indices into lines
  for (std::size_t i = 0; i < lines.size(); ++i) by_type[perf_of(lines[i].line).type].push_back(i);
  std::vector<OfferedMix> kept;
  std::vector<OfferedMix> mixes;  // of two types, or of one
  for (auto low = by_type.begin(); low != by_type.end(); ++low) {
    for (auto high = low; high != by_type.end(); ++high) {
      mixes.clear();
      std::vector<std::size_t> firsts = low->second;
      if (high != low) {
        firsts.clear();
        std::merge(low->second.begin(), low->second.end(), high->second.begin(), high->second.end(),
                   std::back_inserter(firsts));
      }
      for (const std::size_t i : firsts) {
        const bool is_low = perf_of(lines[i].line).type == low->first;
        const std::vector<std::size_t>& others = is_low ? high->second : low->second;
        for (auto j = std::upper_bound(others.begin(), others.end(), i); j != others.end(); ++j) {
          add(server, lines[i], lines[*j], mixes);
        }
      }
      keep_undominated(mixes, kept);
    }
  }
  std::stable_sort(kept.begin(), kept.end(), by_objective);
  return kept;
}

void MixOffers::keep_undominated(std::vector<OfferedMix>& mixes,
                                 std::vector<OfferedMix>& kept) const {
  std::stable_sort(mixes.begin(), mixes.end(), by_objective);
  Undominated undominated;
  for (const OfferedMix& offered : mixes) {
    const auto taken = [&](std::size_t i) {
      const Mix::Part& part = offered.mix.parts[i];
      const PerfRow& perf = perf_of(part.line);
      return Undominated::Taken{perf.type, part.num_replicas * perf.cards_per_replica};
    };
    std::array<Undominated::Taken, 2> all{taken(0), taken(1)};
    const bool one_type = all[0].resource == all[1].resource;
    if (one_type) all[0].amount += all[1].amount;
    // The use of limits is not known here, so any of these mixes may be needed.
    if (optimizer_.has_limits() || undominated.keep({all.data(), one_type ? 1u : 2u})) {
      kept.push_back(offered);
    }
  }
}

}  // namespace tonnage
