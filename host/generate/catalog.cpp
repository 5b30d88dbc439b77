// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Accelerators and models of generated fleets: public prices and shapes, and performance by a
// roofline model. Loads are drawn in workload.cpp.
#include "host/generate/catalog.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "host/generate/random.hpp"

namespace tonnage::generate {
namespace {

// One card, from public spec sheets and on-demand list prices (docs/fleets.md).
struct Card {
  const char* name;
  double memory_gb;
  double bandwidth_gb_per_s;
  double peak_tflops;  // dense, 16-bit
  double maturity;     // share of the H100's efficiency that common serving engines reach on it
  double idle_w;
  double full_w;
  double price_cents_per_hour;
};

enum CardIndex {
  kH100,
  kA100,
  kL40S,
  kL4,
  kH200,
  kMI300X,
  kA10,
  kB200,
  kGaudi3,
  kMI325X,
  kA100s,
  kRtxPro
};

constexpr Card kCards[] = {
    {"H100", 80, 3350, 989, 1.0, 70, 700, 305},
    {"A100", 80, 2039, 312, 1.0, 55, 400, 188},
    {"L40S", 48, 864, 362, 0.95, 35, 350, 112},
    {"L4", 24, 300, 121, 0.95, 16, 72, 62},
    {"H200", 141, 4800, 989, 1.0, 75, 700, 385},
    {"MI300X", 192, 5300, 1307, 0.72, 140, 750, 355},
    {"A10", 24, 600, 125, 0.95, 20, 150, 75},
    {"B200", 180, 7700, 2250, 0.9, 140, 1000, 640},
    {"Gaudi3", 128, 3700, 1678, 0.6, 120, 900, 310},
    {"MI325X", 256, 6000, 1307, 0.72, 150, 1000, 440},
    {"A100-40GB", 40, 1555, 312, 1.0, 50, 400, 135},
    {"RTX-PRO-6000", 96, 1792, 503, 0.9, 45, 600, 195},
};

// Cards, and how many of them form an accelerator, in the order in which fleets receive them. The
// first one holds every model.
struct Unit {
  CardIndex card;
  int multiplicity;
};
constexpr Unit kUnits[] = {
    {kH100, 1},  {kA100, 1},   {kL40S, 1},   {kL4, 1},     {kH200, 1},   {kMI300X, 1},
    {kH100, 2},  {kA100, 4},   {kL40S, 2},   {kB200, 1},   {kH100, 8},   {kA10, 1},
    {kA100, 2},  {kL4, 2},     {kGaudi3, 1}, {kMI325X, 1}, {kH100, 4},   {kA100, 8},
    {kL40S, 4},  {kH200, 2},   {kRtxPro, 1}, {kH200, 4},   {kMI300X, 2}, {kH200, 8},
    {kB200, 2},  {kL4, 4},     {kA10, 2},    {kA100s, 1},  {kMI300X, 4}, {kGaudi3, 2},
    {kB200, 8},  {kMI325X, 2}, {kB200, 4},   {kMI300X, 8}, {kRtxPro, 2}, {kA100s, 2},
    {kL40S, 8},  {kGaudi3, 4}, {kA10, 4},    {kMI325X, 4}, {kL4, 8},     {kGaudi3, 8},
    {kA100s, 4}, {kMI325X, 8}, {kA10, 8},    {kA100s, 8},  {kRtxPro, 4}, {kRtxPro, 8},
};

// Shape of an open model, from its published configuration.
struct Shape {
  const char* name;
  double params_billion;
  double active_billion;      // computed with per token
  double bytes_per_param;     // 2: 16 bits, 1: 8 bits, 0.55: 4 bits and scales
  double kv_bytes_per_token;  // 2 * layers * KV heads * head size * 2 bytes
};

constexpr Shape kShapes[] = {
    {"llama-3.1-8b", 8.03, 8.03, 2, 131072},
    {"llama-3.3-70b", 70.6, 70.6, 2, 327680},
    {"qwen2.5-32b", 32.5, 32.5, 2, 262144},
    {"mistral-7b", 7.25, 7.25, 2, 131072},
    {"mixtral-8x7b", 46.7, 12.9, 2, 131072},
    {"gemma-2-27b", 27.2, 27.2, 2, 376832},
    {"llama-3.1-405b", 405.9, 405.9, 1, 516096},
    {"qwen2.5-1.5b", 1.54, 1.54, 2, 28672},
    {"phi-4", 14.7, 14.7, 2, 204800},
    {"qwen2.5-72b", 72.7, 72.7, 2, 327680},
    {"granite-3.1-8b", 8.17, 8.17, 2, 163840},
    {"gpt-oss-120b", 116.8, 5.1, 0.55, 73728},
    {"llama-3.2-3b", 3.21, 3.21, 2, 114688},
    {"mistral-large-123b", 122.6, 122.6, 1, 360448},
    {"gemma-2-9b", 9.24, 9.24, 2, 344064},
    {"mistral-small-24b", 23.6, 23.6, 2, 163840},
    {"qwen2.5-14b", 14.8, 14.8, 2, 196608},
    {"mixtral-8x22b", 140.6, 39.1, 2, 229376},
    {"command-r-35b", 32.3, 32.3, 2, 163840},
    {"gpt-oss-20b", 20.9, 3.6, 0.55, 49152},
    {"qwen3-235b", 235.1, 22.2, 1, 192512},
    {"llama-3.2-1b", 1.24, 1.24, 2, 32768},
    {"phi-3-mini", 3.82, 3.82, 2, 393216},
    {"qwen2.5-7b", 7.62, 7.62, 2, 57344},
    {"dbrx", 131.6, 36.5, 2, 163840},
    {"nemotron-4-340b", 341, 341, 1, 589824},
    {"falcon-180b", 179.5, 179.5, 1, 163840},
};

constexpr std::int64_t kMaxCards = 16;  // of one replica
constexpr std::int64_t kLeastBatch = 8;
constexpr double kUsableMemory = 0.9;
constexpr double kContextTokens = 1024;  // input tokens per sequence that the batch is sized for
constexpr double kBandwidthShare = 0.75;
constexpr double kCacheReadShare = 0.6;
constexpr double kComputeShare = 0.5;

// By log2 of the cards of a replica.
constexpr double kParallelEfficiency[] = {1, 0.93, 0.87, 0.8, 0.62};
constexpr double kIterationOverheadMs[] = {1.2, 1.6, 2.1, 2.7, 4.5};

constexpr std::int64_t kUnitCount = std::size(kUnits);
constexpr std::int64_t kShapeCount = std::size(kShapes);

const Unit& unit_at(std::int64_t index) { return kUnits[index % kUnitCount]; }

// Beyond the catalogue the same units repeat, as if offered elsewhere at other prices.
std::string unit_name(std::int64_t index) {
  const Unit& unit = unit_at(index);
  std::string name = kCards[unit.card].name;
  if (unit.multiplicity > 1) name = std::to_string(unit.multiplicity) + "x" + name;
  if (index >= kUnitCount) name += "-region" + std::to_string(index / kUnitCount + 1);
  return name;
}

// Beyond the catalogue the same models repeat as fine-tuned copies.
std::string shape_name(std::int64_t index) {
  std::string name = kShapes[index % kShapeCount].name;
  if (index >= kShapeCount) name += "-tuned" + std::to_string(index / kShapeCount);
  return name;
}

bool is_prime(std::int64_t n) {
  for (std::int64_t d = 2; d * d <= n; ++d) {
    if (n % d == 0) return false;
  }
  return n >= 2;
}

// Prices are distinct primes in hundredths of a cent: no whole multiple of one that a server could
// need equals a whole multiple of another, so the costs of two options of a server never tie.
double prime_price(double cents, std::vector<std::int64_t>& taken) {
  auto price = static_cast<std::int64_t>(std::round(cents * 100));
  while (!is_prime(price) || std::find(taken.begin(), taken.end(), price) != taken.end()) ++price;
  taken.push_back(price);
  return static_cast<double>(price) / 100;
}

int log2_cards(std::int64_t cards) {
  int log = 0;
  while ((std::int64_t{1} << log) < cards) ++log;
  return log;
}

// Number of sequences, each with context and `at_tokens` output tokens, that fit beside the
// weights.
std::int64_t batch_in_memory(const Shape& shape, const Card& card, std::int64_t cards,
                             double at_tokens) {
  const double free_bytes = (kUsableMemory * card.memory_gb * static_cast<double>(cards) -
                             shape.params_billion * shape.bytes_per_param) *
                            1e9;
  const double sequence_bytes = shape.kv_bytes_per_token * (kContextTokens + at_tokens);
  return free_bytes <= 0 ? 0 : static_cast<std::int64_t>(free_bytes / sequence_bytes);
}

// Roofline model (S. Williams, A. Waterman, D. Patterson, 2009): weights and KV cache pass through
// the memory bandwidth, prompts through the peak rate of arithmetic, each at the share that serving
// engines reach.
PerfParms roofline(const Shape& shape, const Card& card, std::int64_t cards, Random& random) {
  const int log = log2_cards(cards);
  const double parallel = static_cast<double>(cards) * kParallelEfficiency[log] * card.maturity;
  const double bandwidth = parallel * card.bandwidth_gb_per_s * 1e6;  // bytes/ms
  const double flops = parallel * card.peak_tflops * 1e9;             // 1/ms
  const double weight_bytes = shape.params_billion * 1e9 * shape.bytes_per_param;
  const double alpha = weight_bytes / (bandwidth * kBandwidthShare) + kIterationOverheadMs[log];
  const double beta = 2e9 * shape.active_billion / (flops * kComputeShare);
  const double gamma = shape.kv_bytes_per_token / (bandwidth * kCacheReadShare);
  PerfParms parms;
  parms.alpha_ms = round_digits(alpha * random.uniform(0.95, 1.05), 4);
  parms.beta_ms = round_digits(beta * random.uniform(0.93, 1.07), 4);
  parms.gamma_ms = round_digits(gamma * random.uniform(0.93, 1.07), 4);
  return parms;
}

}  // namespace

std::vector<AcceleratorSpec> catalog_accelerators(std::int64_t count, std::uint64_t seed) {
  std::vector<AcceleratorSpec> accelerators;
  std::vector<std::int64_t> taken;
  for (std::int64_t i = 0; i < count; ++i) {
    Random random(seed, Purpose::kAccelerator, static_cast<std::uint64_t>(i));
    const Unit& unit = unit_at(i);
    const Card& card = kCards[unit.card];
    const double cards = unit.multiplicity;
    const double region = i < kUnitCount ? 1.0 : 1.08;
    // Whole machines are a little cheaper per card than slices of them.
    const double discount = 1 - 0.005 * (cards - 1);
    AcceleratorSpec a;
    a.name = unit_name(i);
    a.type = card.name;
    a.multiplicity = unit.multiplicity;
    a.mem_size_gb = card.memory_gb * cards;
    a.mem_bw_gb_per_s = card.bandwidth_gb_per_s * cards;
    a.power.idle_w = card.idle_w * cards;
    a.power.full_w = card.full_w * cards;
    a.power.mid_util = round_steps(random.uniform(0.45, 0.65), 100);
    a.power.mid_power_w = round_steps(a.power.full_w * random.uniform(0.72, 0.84), 1);
    a.cost_cents_per_hour = prime_price(
        card.price_cents_per_hour * cards * region * discount * random.uniform(0.96, 1.04), taken);
    accelerators.push_back(std::move(a));
  }
  return accelerators;
}

std::vector<CatalogModel> catalog_models(std::int64_t count, std::int64_t num_accelerators,
                                         std::uint64_t seed) {
  constexpr std::int64_t kBatchLimits[] = {64, 80, 96, 112, 128};
  constexpr std::int64_t kAtTokens[] = {192, 256, 320};
  std::vector<CatalogModel> models;
  for (std::int64_t i = 0; i < count; ++i) {
    const Shape& shape = kShapes[i % kShapeCount];
    const std::uint64_t stream = static_cast<std::uint64_t>(i) * 1000;  // of its own and its rows'
    Random draw(seed, Purpose::kPerformance, stream);
    const std::int64_t batch_limit = kBatchLimits[draw.below(std::size(kBatchLimits))];
    const std::int64_t at_tokens = kAtTokens[draw.below(std::size(kAtTokens))];
    CatalogModel model{shape_name(i), shape.params_billion, {}};
    for (std::int64_t a = 0; a < num_accelerators; ++a) {
      const Unit& unit = unit_at(a);
      const Card& card = kCards[unit.card];
      for (std::int64_t instances = 1; instances * unit.multiplicity <= kMaxCards; instances *= 2) {
        const std::int64_t cards = instances * unit.multiplicity;
        const std::int64_t batch =
            batch_in_memory(shape, card, cards, static_cast<double>(at_tokens));
        if (batch < kLeastBatch) continue;
        Random random(seed, Purpose::kPerformance, stream + 1 + static_cast<std::uint64_t>(a));
        ModelPerfSpec perf;
        perf.name = model.name;
        perf.acc = unit_name(a);
        perf.acc_count = instances;
        perf.max_batch_size = std::min(batch, batch_limit) / 4 * 4;
        perf.at_tokens = at_tokens;
        perf.perf_parms = roofline(shape, card, cards, random);
        model.perfs.push_back(std::move(perf));
        break;
      }
    }
    models.push_back(std::move(model));
  }
  return models;
}

}  // namespace tonnage::generate
