// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Draws random rows of performance data, servers and targets, and compares answers bit for bit.
#include "bench/gpu/random_problem.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

namespace tonnage::check {
namespace {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : engine_(seed) {}
  double between(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }
  std::int64_t whole(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(between(0, 1) * static_cast<double>(high - low + 1));
  }
  bool one_in(std::int64_t n) { return whole(1, n) == 1; }
  // Log-uniform.
  double scale(double low, double high) { return std::exp(between(std::log(low), std::log(high))); }

 private:
  std::mt19937_64 engine_;
};

PerfRow random_perf(Draw& draw, std::int32_t accelerator) {
  PerfRow p{};
  if (!draw.one_in(30)) {
    p.alpha_ms = draw.between(3, 40);
    p.beta_ms = draw.between(0.005, 0.1);
    p.gamma_ms = draw.scale(1e-6, 5e-4);
  }
  p.token_budget = draw.one_in(5) ? static_cast<double>(draw.whole(256, 4096)) : 8192;
  p.cost_per_replica = draw.between(50, 500);
  p.max_batch = draw.whole(1, draw.one_in(10) ? 2000 : 256);
  p.at_tokens = draw.whole(64, 1024);
  p.instances_per_replica = p.cards_per_replica = 1;
  p.accelerator = accelerator;
  p.valid = !draw.one_in(40);
  return p;
}

LatencyTargets random_targets(Draw& draw, bool percentiles) {
  LatencyTargets t;
  if (!draw.one_in(5)) t.itl_ms = draw.between(10, 150);
  if (!draw.one_in(5)) t.ttft_ms = draw.between(50, 5000);
  if (draw.one_in(5)) t.e2e_ms = draw.between(2000, 60000);
  if (draw.one_in(5)) t.drop = draw.scale(1e-6, 0.5);
  if (percentiles && draw.one_in(6)) t.ttft_percentile = draw.one_in(2) ? 95 : 50;
  return t;
}

ServerRow random_server(Draw& draw, const RandomOptions& options) {
  ServerRow s{};
  s.in_tokens = static_cast<double>(draw.one_in(8) ? draw.whole(8000, 60000) : draw.whole(0, 4000));
  s.out_tokens = static_cast<double>(draw.one_in(12) ? 1 : draw.whole(1, 1024));
  s.targets = random_targets(draw, options.percentiles);
  s.token_budget = draw.one_in(8) ? static_cast<double>(draw.whole(256, 4096)) : 0;
  s.min_replicas = draw.one_in(4) ? draw.whole(1, 5) : 0;
  s.max_replicas = draw.one_in(10) ? draw.whole(1, 50) : 0;
  s.max_batch = draw.one_in(4) ? draw.whole(1, 300) : 0;
  s.max_queue = draw.one_in(2) ? 0 : draw.whole(1, 256);
  s.current_accelerator = kNoAccelerator;
  s.has_tps_target = draw.one_in(6);
  s.load_kind = LoadKind::kLoaded;
  if (draw.one_in(15)) {
    s.load_kind = s.min_replicas > 0 ? LoadKind::kIdle : LoadKind::kEmpty;
  } else if (draw.one_in(40)) {
    s.load_kind = LoadKind::kUnplannable;
    s.reason = Reason::kInvalidServer;
  }
  return s;
}

}  // namespace

Problem random_problem(const RandomOptions& options) {
  Draw draw(options.seed);
  Problem p;
  constexpr std::int32_t kModels = 8;
  const auto accelerators = static_cast<std::int32_t>(options.accelerators);
  for (std::int32_t i = 0; i < kModels * accelerators; ++i) {
    p.perfs.push_back(random_perf(draw, i % accelerators));
  }
  for (std::int32_t a = 0; a < accelerators; ++a) {
    AcceleratorSpec spec;
    spec.power = {.idle_w = 50.0 + a, .full_w = 700, .mid_power_w = 400, .mid_util = a % 2 * 0.4};
    p.accelerators.emplace_back(spec);
  }
  p.first_line.push_back(0);
  for (std::int32_t i = 0; i < options.servers; ++i) {
    ServerRow s = random_server(draw, options);
    const auto model = static_cast<std::int32_t>(draw.whole(0, kModels - 1));
    for (std::int32_t a = 0; a < accelerators; ++a) {
      const std::int32_t perf = model * accelerators + a;
      if (draw.one_in(10)) continue;  // no data for the model on this accelerator
      if (options.longest > 0 && batch_ceiling(s, p.perfs[perf]) > options.longest) {
        s.max_batch = options.longest;
      }
      p.lines.push_back({i, perf});
    }
    s.total_rate_per_ms = draw.scale(1e-6, draw.one_in(8) ? 1e3 : 0.2);
    p.servers.push_back(s);
    p.first_line.push_back(std::ssize(p.lines));
  }
  return p;
}

void bound_replicas(Problem& problem, const Evaluator& host, double most) {
  SearchOptions options;
  std::vector<double> needed(problem.servers.size(), 0.0);
  for (const BatchMode batch : {BatchMode::kMax, BatchMode::kSearch}) {
    options.batch = batch;
    const SearchResult found = host.search(problem, options);
    for (std::size_t i = 0; i < problem.lines.size(); ++i) {
      double& n = needed[problem.lines[i].server];
      n = std::max(n, static_cast<double>(found.lines[i].num_replicas));
    }
  }
  for (std::size_t s = 0; s < needed.size(); ++s) {
    if (needed[s] > most) problem.servers[s].total_rate_per_ms *= most / needed[s];
  }
}

Problem repeated(const Problem& problem, std::int64_t times) {
  Problem all = problem;
  const auto servers = static_cast<std::int32_t>(problem.servers.size());
  const std::int64_t lines = std::ssize(problem.lines);
  all.servers.reserve(problem.servers.size() * static_cast<std::size_t>(times));
  all.lines.reserve(problem.lines.size() * static_cast<std::size_t>(times));
  for (std::int64_t round = 1; round < times; ++round) {
    const auto shift = static_cast<std::int32_t>(round * servers);
    all.servers.insert(all.servers.end(), problem.servers.begin(), problem.servers.end());
    for (const LineRow& line : problem.lines) all.lines.push_back({line.server + shift, line.perf});
    for (std::int32_t s = 1; s <= servers; ++s) {
      all.first_line.push_back(round * lines + problem.first_line[s]);
    }
  }
  return all;
}

Problem only_lines(const Problem& problem, std::int64_t most,
                   const std::function<bool(const ServerRow&, const PerfRow&)>& keeps) {
  Problem some = problem;
  some.servers.clear();
  some.lines.clear();
  some.first_line = {0};
  for (std::size_t s = 0; s < problem.servers.size(); ++s) {
    const auto server = static_cast<std::int32_t>(some.servers.size());
    for (const LineRow& line : problem.lines_of(static_cast<std::int64_t>(s))) {
      if (std::ssize(some.lines) < most && keeps(problem.servers[s], problem.perfs[line.perf])) {
        some.lines.push_back({server, line.perf});
      }
    }
    if (std::ssize(some.lines) == some.first_line.back()) continue;
    some.servers.push_back(problem.servers[s]);
    some.first_line.push_back(std::ssize(some.lines));
  }
  return some;
}

std::string first_difference(const std::vector<LineOutcome>& got,
                             const std::vector<LineOutcome>& want, const Problem& problem) {
  if (want.empty() ? !got.empty() : got.empty() || got.size() % want.size() != 0) {
    return std::to_string(got.size()) + " lines instead of " + std::to_string(want.size());
  }
  const auto bits = [](double x) { return std::bit_cast<std::uint64_t>(x); };
  const auto text = [](const LineOutcome& o) {
    char buffer[200];
    std::snprintf(buffer, sizeof buffer, "%lld x batch %lld at %.17g/ms, best %.17g (%s)",
                  static_cast<long long>(o.num_replicas), static_cast<long long>(o.max_batch),
                  o.rate_per_replica_per_ms, o.best_achievable,
                  std::string(describe(o.reason)).c_str());
    return std::string(buffer);
  };
  for (std::size_t i = 0; i < got.size(); ++i) {
    const LineOutcome &g = got[i], &w = want[i % want.size()];
    if (g.num_replicas == w.num_replicas && g.max_batch == w.max_batch && g.reason == w.reason &&
        bits(g.rate_per_replica_per_ms) == bits(w.rate_per_replica_per_ms) &&
        bits(g.best_achievable) == bits(w.best_achievable)) {
      continue;
    }
    const LineRow& line = problem.lines[i % problem.lines.size()];
    const ServerRow& s = problem.servers[line.server];
    const PerfRow& p = problem.perfs[line.perf];
    return "line " + std::to_string(i) + " (ceiling " + std::to_string(batch_ceiling(s, p)) +
           ", Q " + std::to_string(s.max_queue) + "): " + text(g) + "; wanted " + text(w);
  }
  return {};
}

}  // namespace tonnage::check
