// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Service classes with targets, and servers with loads, of generated fleets. Uses the catalogue but
// no sizing.
#include "host/generate/workload.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "tonnage/core/queueing.hpp"

namespace tonnage::generate {
namespace {

// Reference request from which targets are derived.
constexpr double kReferenceInTokens = 2048;
constexpr double kReferenceOutTokens = 256;
constexpr double kTtftFloorMs = 80;

enum ClassIndex { kPremium, kStandard, kBatch, kClassCount };

struct ClassShape {
  const char* name;
  const char* prefix;  // of server names
  std::int64_t priority;
  // Rank (0: fastest) of an accelerator among those that hold the model. A target is that
  // accelerator's latency at light load times a margin.
  double rank;
  double itl_margin;
  double ttft_margin;
};
constexpr ClassShape kClasses[kClassCount] = {
    {"Premium", "premium", 1, 0.5, 1.6, 2.5},
    {"Standard", "standard", 5, 0.85, 2.0, 4.0},
    {"Batch", "batch", 10, 1.0, 3.0, 20.0},
};

// Kinds of traffic: medians of prompt and answer lengths, spread, share within each class.
struct Traffic {
  double in_tokens;
  double out_tokens;
  double sigma;
  double share[kClassCount];
};
constexpr Traffic kTraffic[] = {
    {700, 220, 0.45, {0.45, 0.36, 0.25}},    // chat
    {1600, 60, 0.40, {0.35, 0.24, 0.10}},    // code completion
    {3200, 260, 0.35, {0.20, 0.25, 0.30}},   // retrieval-augmented answers
    {450, 1400, 0.40, {0.00, 0.08, 0.15}},   // reasoning
    {14000, 420, 0.55, {0.00, 0.07, 0.20}},  // long documents
};
constexpr double kMaxInTokens = 65536;
constexpr double kMaxOutTokens = 8192;
constexpr double kLoadSigma = 1.1;
constexpr double kMaxRatePerMin = 20000;

ClassIndex pick_class(Random& random) {
  const double u = random.uniform();
  return u < 0.3 ? kPremium : u < 0.75 ? kStandard : kBatch;
}

const Traffic& pick_traffic(ClassIndex service_class, Random& random) {
  double u = random.uniform();
  for (const Traffic& traffic : kTraffic) {
    u -= traffic.share[service_class];
    if (u < 0) return traffic;
  }
  return kTraffic[0];
}

// The value at `rank` (0: least, 1: largest) of an ascending list.
double at_rank(const std::vector<double>& sorted, double rank) {
  return sorted[static_cast<std::size_t>(rank * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

std::vector<ServiceClassSpec> draw_classes(const std::vector<CatalogModel>& models,
                                           std::uint64_t seed) {
  std::vector<ServiceClassSpec> classes(kClassCount);
  for (int c = 0; c < kClassCount; ++c) {
    classes[c].name = kClasses[c].name;
    classes[c].priority = kClasses[c].priority;
  }
  for (std::size_t i = 0; i < models.size(); ++i) {
    std::vector<double> itl, ttft;
    for (const ModelPerfSpec& perf : models[i].perfs) {
      const ServiceParams p{perf.perf_parms.alpha_ms, perf.perf_parms.beta_ms,
                            perf.perf_parms.gamma_ms, kReferenceInTokens,
                            kReferenceOutTokens,      kDefaultMaxNumTokens};
      itl.push_back(state_itl_ms(p, 1));
      ttft.push_back(state_prefill_ms(p, 1) + itl.back());
    }
    std::sort(itl.begin(), itl.end());
    std::sort(ttft.begin(), ttft.end());
    Random random(seed, Purpose::kTarget, i);
    for (int c = 0; c < kClassCount; ++c) {
      const ClassShape& shape = kClasses[c];
      ModelTargetSpec target;
      target.model = models[i].name;
      const double itl_target =
          at_rank(itl, shape.rank) * shape.itl_margin * random.uniform(0.9, 1.2);
      const double ttft_target =
          kTtftFloorMs + at_rank(ttft, shape.rank) * shape.ttft_margin * random.uniform(0.8, 1.4);
      const double tps_target = 60000 / (models[i].params_billion + 30) * random.uniform(0.7, 2.0);
      const bool by_tps = c == kBatch && i % 5 == 2;
      const bool ttft_only = (c == kStandard && i % 3 == 1) || (c == kBatch && i % 2 == 1);
      if (by_tps) target.slo_tps = round_digits(tps_target, 2);
      if (!by_tps && !ttft_only) target.slo_itl_ms = round_digits(itl_target, 2);
      target.slo_ttft_ms = round_digits(ttft_target, 2);
      classes[c].model_targets.push_back(std::move(target));
    }
  }
  return classes;
}

ModelPicker::ModelPicker(const std::vector<CatalogModel>& models) : models_(&models) {
  double sum = 0;
  for (const CatalogModel& model : models) {
    sum += 0.2 + 1 / (1 + model.params_billion / 30);
    cumulative_.push_back(sum);
  }
}

const CatalogModel& ModelPicker::pick(Random& random) const {
  const double u = random.uniform() * cumulative_.back();
  const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, u);
  return (*models_)[static_cast<std::size_t>(found - cumulative_.begin())];
}

ServerSpec draw_server(std::int64_t index, const ModelPicker& models, Random& random) {
  constexpr std::int64_t kQueueSizes[] = {0, 8, 16, 32, 64, 64, 128, 128, 128, 256};
  constexpr std::int64_t kBatchOverrides[] = {16, 32, 48, 64, 96, 128};
  const CatalogModel& model = models.pick(random);
  const ClassIndex c = pick_class(random);
  const Traffic& traffic = pick_traffic(c, random);

  ServerSpec server;
  std::string number = std::to_string(index);
  number.insert(0, 6 - std::min<std::size_t>(6, number.size()), '0');
  server.name = std::string(kClasses[c].prefix) + "-" + model.name + "-" + number;
  server.class_name = kClasses[c].name;
  server.model = model.name;

  LoadSpec& load = server.current_alloc.load;
  load.avg_in_tokens = static_cast<std::int64_t>(std::round(
      std::clamp(random.lognormal(traffic.in_tokens, traffic.sigma), 16.0, kMaxInTokens)));
  load.avg_out_tokens = static_cast<std::int64_t>(std::round(
      std::clamp(random.lognormal(traffic.out_tokens, traffic.sigma), 8.0, kMaxOutTokens)));
  // Large models and long requests have lower arrival rates.
  const double length = static_cast<double>(load.avg_in_tokens + 4 * load.avg_out_tokens);
  const double median_rate = (60 + 300 / (1 + model.params_billion / 40)) / (1 + length / 6000);
  const double rate = random.lognormal(median_rate, kLoadSigma);
  const bool idle = random.chance(0.02);
  load.arrival_rate_per_min = idle ? 0 : std::clamp(round_steps(rate, 100), 0.5, kMaxRatePerMin);

  const double u = random.uniform();
  server.min_num_replicas = u < (idle ? 0.45 : 0.85) ? 1 : u < 0.93 ? 0 : 2;
  server.max_queue_size = kQueueSizes[random.below(std::size(kQueueSizes))];
  // Rescaling to short answers would give huge batches, so these servers bound their batch size.
  const double bounded = load.avg_out_tokens < 100 ? 0.8 : 0.06;
  if (random.chance(bounded)) {
    server.max_batch_size = kBatchOverrides[random.below(std::size(kBatchOverrides))];
  }
  return server;
}

}  // namespace tonnage::generate
