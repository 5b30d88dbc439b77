#include "mixes.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace tonnage {
namespace {

constexpr std::int64_t kMaxSplits = 16;
// All accelerators are combined in fleets of up to so many servers; beyond, about so many mixes are
// looked at, four splits to a pair.
constexpr std::int64_t kSmallFleet = 2000;
constexpr double kMostLooks = 4e6;
constexpr double kTypicalSplits = 4;
constexpr std::size_t kLeastLines = 4;

std::size_t lines_for(std::int64_t servers) {
  if (servers <= kSmallFleet) return std::numeric_limits<std::size_t>::max();
  const double pairs = kMostLooks / kTypicalSplits / static_cast<double>(servers);
  return std::max(kLeastLines, static_cast<std::size_t>(std::sqrt(2 * pairs)));
}

// Shares of the load by goodput.
std::array<double, 2> shares_of(const std::vector<LineOutcome>& outcomes, const Mix& mix) {
  std::array<double, 2> goodput;
  for (int i = 0; i < 2; ++i) {
    goodput[i] = static_cast<double>(mix.parts[i].num_replicas) *
                 outcomes[mix.parts[i].line].rate_per_replica_per_ms;
  }
  return {goodput[0] / (goodput[0] + goodput[1]), goodput[1] / (goodput[0] + goodput[1])};
}

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
  // The penalty looks at counts of replicas only for whether they agree.
  t.value = transition_penalty(t.same_accelerators, 0, problem.servers[server].current_cost,
                               t.changed ? 1 : 0, cost);
  return t;
}

std::array<PartMetrics, 2> mix_metrics(const Problem& problem,
                                       const std::vector<LineOutcome>& outcomes, const Mix& mix) {
  std::array<PartMetrics, 2> parts;
  const std::array<double, 2> shares = shares_of(outcomes, mix);
  for (int i = 0; i < 2; ++i) {
    const LineRow& line = problem.lines[mix.parts[i].line];
    const PerfRow& perf = problem.perfs[line.perf];
    ServerRow row = problem.servers[line.server];
    row.total_rate_per_ms *= shares[i];
    LineOutcome outcome = outcomes[mix.parts[i].line];
    outcome.num_replicas = mix.parts[i].num_replicas;
    parts[i] = {shares[i], outcome.num_replicas,
                allocation_metrics(row, perf, problem.accelerators[perf.accelerator], outcome)};
  }
  return parts;
}

MixOffers::MixOffers(const Problem& problem, const OptimizerSpec& optimizer,
                     const std::vector<LineOutcome>& outcomes)
    : problem_(problem),
      optimizer_(optimizer),
      outcomes_(outcomes),
      most_lines_(lines_for(std::ssize(problem.servers))) {}

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
  if (lines.size() > most_lines_) {
    std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
      return a.cost * b.goodput_per_ms < b.cost * a.goodput_per_ms;
    });
    lines.resize(most_lines_);
    std::sort(lines.begin(), lines.end(),
              [](const Line& a, const Line& b) { return a.line < b.line; });
  }
  return lines;
}

void MixOffers::add(std::int64_t server, const Line& a, const Line& b,
                    std::vector<OfferedMix>& mixes) const {
  const ServerRow& row = problem_.servers[server];
  // Of the accelerator with fewer replicas every count is tried, or some evenly spread.
  const bool a_first = a.alone <= b.alone;
  const Line& few = a_first ? a : b;
  const Line& many = a_first ? b : a;
  const std::int64_t most = few.alone - 1;
  const std::int64_t splits = std::min(most, kMaxSplits);
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
      for (const PartMetrics& part : mix_metrics(problem_, outcomes_, offered.mix)) {
        offered.power_w += part.metrics.power_w;
      }
    }
    offered.objective = weighted_objective(optimizer_, row, !t.same_accelerators, offered.value,
                                           offered.cost, offered.power_w);
    mixes.push_back(offered);
  }
}

std::vector<OfferedMix> MixOffers::of(std::int64_t server) const {
  const std::vector<Line> lines = lines_of(server);
  const auto perf = [&](const Mix::Part& part) -> const PerfRow& {
    return problem_.perfs[problem_.lines[part.line].perf];
  };
  std::map<std::pair<std::int32_t, std::int32_t>, std::vector<OfferedMix>> by_types;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (std::size_t j = i + 1; j < lines.size(); ++j) {
      const std::int32_t s = problem_.perfs[problem_.lines[lines[i].line].perf].type;
      const std::int32_t t = problem_.perfs[problem_.lines[lines[j].line].perf].type;
      add(server, lines[i], lines[j], by_types[std::minmax(s, t)]);
    }
  }
  std::vector<OfferedMix> kept;
  for (auto& [types, mixes] : by_types) {
    // Cards of the lower and the higher type; both where they are one.
    const auto cards = [&, low = types.first](const OfferedMix& offered) {
      std::pair<std::int64_t, std::int64_t> sum{0, 0};
      for (const Mix::Part& part : offered.mix.parts) {
        (perf(part).type == low ? sum.first : sum.second) +=
            part.num_replicas * perf(part).cards_per_replica;
      }
      return sum;
    };
    std::stable_sort(mixes.begin(), mixes.end(), [](const OfferedMix& a, const OfferedMix& b) {
      return a.objective < b.objective;
    });
    const auto first = static_cast<std::ptrdiff_t>(kept.size());
    for (const OfferedMix& offered : mixes) {
      const auto mine = cards(offered);
      const bool beaten =
          optimizer_.has_limits()
              ? false
              : std::any_of(kept.begin() + first, kept.end(), [&](const OfferedMix& other) {
                  const auto theirs = cards(other);
                  return theirs.first <= mine.first && theirs.second <= mine.second;
                });
      if (!beaten) kept.push_back(offered);
    }
  }
  std::stable_sort(kept.begin(), kept.end(), [](const OfferedMix& a, const OfferedMix& b) {
    return a.objective < b.objective;
  });
  return kept;
}

}  // namespace tonnage
