#include "parity_fleets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "tonnage/core/system.hpp"
#include "tonnage/io/spec_reader.hpp"

namespace tonnage::test {
namespace {

// Uniform draws that are the same on every platform.
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
  // Spread evenly over orders of magnitude.
  double scale(double low, double high) { return std::exp(between(std::log(low), std::log(high))); }

 private:
  std::mt19937_64 engine_;
};

ModelTargetSpec random_target(Draw& draw, const std::string& model) {
  ModelTargetSpec target;
  target.model = model;
  if (!draw.one_in(5)) target.slo_itl_ms = draw.between(10, 150);
  if (!draw.one_in(5)) target.slo_ttft_ms = draw.between(50, 5000);
  if (draw.one_in(5)) target.slo_tps = draw.between(100, 50000);
  if (draw.one_in(5)) target.slo_e2e_ms = draw.between(2000, 60000);
  if (draw.one_in(5)) target.slo_drop = draw.scale(1e-6, 0.5);
  if (draw.one_in(6) && target.slo_ttft_ms > 0) target.slo_ttft_percentile = 95;
  return target;
}

ServerSpec random_server(Draw& draw, std::int64_t index) {
  ServerSpec s;
  s.name = "server-" + std::to_string(index);
  s.class_name = "class-" + std::to_string(draw.whole(0, 2));
  s.model = "model-" + std::to_string(draw.whole(0, 4));
  s.min_num_replicas = draw.one_in(4) ? draw.whole(1, 5) : 0;
  s.max_num_replicas = draw.one_in(10) ? draw.whole(1, 50) : 0;
  s.max_batch_size = draw.one_in(4) ? draw.whole(1, 300) : 0;
  s.max_queue_size = draw.one_in(2) ? 0 : draw.whole(1, 256);
  s.current_alloc.load = {draw.one_in(12) ? 0 : draw.scale(0.1, draw.one_in(8) ? 1e8 : 1e4), 0,
                          draw.one_in(8) ? draw.whole(8000, 60000) : draw.whole(0, 4000),
                          draw.one_in(12) ? 1 : draw.whole(1, 1024)};
  return s;
}

}  // namespace

std::vector<NamedProblem> conformance_problems() {
  std::vector<NamedProblem> problems;
  const char* folder = std::getenv("TONNAGE_CONFORMANCE_DIR");
  if (folder == nullptr) return problems;
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(folder) / "fleets")) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const SpecReadResult read = read_system(file.string());
    EXPECT_FALSE(read.diagnostics.has_errors()) << file << read.diagnostics.to_text();
    problems.push_back({file.filename().string(), build_problem(System(read.spec))});
  }
  return problems;
}

Problem random_problem(std::int64_t servers, std::uint64_t seed, std::int64_t longest) {
  Draw draw(seed);
  SystemSpec spec;
  for (int a = 0; a < 6; ++a) {
    const std::string index = std::to_string(a);
    spec.accelerators.push_back({"acc-" + index,
                                 "type-" + std::to_string(a % 4),
                                 1 + a % 3,
                                 80,
                                 3000,
                                 {},
                                 draw.between(50, 500)});
  }
  for (int c = 0; c < 3; ++c) {
    ServiceClassSpec service_class{"class-" + std::to_string(c), 1 + c, {}};
    for (int m = 0; m < 5; ++m) {
      service_class.model_targets.push_back(random_target(draw, "model-" + std::to_string(m)));
    }
    spec.service_classes.push_back(std::move(service_class));
  }
  for (int m = 0; m < 5; ++m) {
    for (int a = 0; a < 6; ++a) {
      if (draw.one_in(6)) continue;
      ModelPerfSpec perf;
      perf.name = "model-" + std::to_string(m);
      perf.acc = "acc-" + std::to_string(a);
      perf.acc_count = draw.whole(0, 2);
      perf.max_batch_size = draw.whole(1, draw.one_in(10) ? 2000 : 256);
      perf.at_tokens = draw.whole(64, 1024);
      if (!draw.one_in(30)) {
        perf.perf_parms = {draw.between(3, 40), draw.between(0.005, 0.1), draw.scale(1e-6, 5e-4)};
      }
      perf.max_num_tokens = draw.one_in(5) ? draw.whole(256, 4096) : 0;
      spec.models.push_back(perf);
    }
  }
  for (std::int64_t i = 0; i < servers; ++i) spec.servers.push_back(random_server(draw, i));
  Problem problem = build_problem(System(spec));
  for (const LineRow& line : problem.lines) {
    ServerRow& server = problem.servers[line.server];
    if (longest > 0 && batch_ceiling(server, problem.perfs[line.perf]) > longest) {
      server.max_batch = longest;
    }
  }
  return problem;
}

void expect_same_lines(const std::vector<LineOutcome>& got, const std::vector<LineOutcome>& want,
                       const Problem& problem) {
  ASSERT_EQ(got.size(), want.size());
  const auto bits = [](double x) { return std::bit_cast<std::uint64_t>(x); };
  for (std::size_t i = 0; i < want.size(); ++i) {
    const ServerRow& s = problem.servers[problem.lines[i].server];
    const PerfRow& p = problem.perfs[problem.lines[i].perf];
    ASSERT_TRUE(got[i].num_replicas == want[i].num_replicas &&
                got[i].max_batch == want[i].max_batch && got[i].reason == want[i].reason &&
                bits(got[i].rate_per_replica_per_ms) == bits(want[i].rate_per_replica_per_ms) &&
                bits(got[i].best_achievable) == bits(want[i].best_achievable))
        << "line " << i << ", ceiling " << batch_ceiling(s, p) << ", k " << s.in_tokens << ", m "
        << s.out_tokens << ", Q " << s.max_queue << ": " << got[i].num_replicas << " x batch "
        << got[i].max_batch << " (" << describe(got[i].reason) << "), rate "
        << got[i].rate_per_replica_per_ms << ", best " << got[i].best_achievable << "; wanted "
        << want[i].num_replicas << " x batch " << want[i].max_batch << " ("
        << describe(want[i].reason) << "), rate " << want[i].rate_per_replica_per_ms << ", best "
        << want[i].best_achievable;
  }
}

}  // namespace tonnage::test
