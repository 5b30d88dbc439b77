// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Measures the peak rate of fused multiply-adds of one thread per instruction set.
#include "limits.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tonnage::bench {
namespace {

// Independent chains: more than latency times throughput of any processor, and few enough for the
// registers.
constexpr int kChains = 12;
constexpr std::int64_t kRounds = 200'000;

template <class Work>
double best_rate(std::int64_t operations, const Work& work) {
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(operations) / taken.count());
  }
  return best;
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"), noinline)) void multiply_add_avx2() {
  __m256d chain[kChains];
  for (int i = 0; i < kChains; ++i) chain[i] = _mm256_set1_pd(1.0 + i);
  const __m256d factor = _mm256_set1_pd(0.999), term = _mm256_set1_pd(0.001);
  for (std::int64_t round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kChains; ++i) chain[i] = _mm256_fmadd_pd(chain[i], factor, term);
  }
  benchmark::DoNotOptimize(chain);
}

__attribute__((target("avx512f"), noinline)) void multiply_add_avx512() {
  __m512d chain[kChains];
  for (int i = 0; i < kChains; ++i) chain[i] = _mm512_set1_pd(1.0 + i);
  const __m512d factor = _mm512_set1_pd(0.999), term = _mm512_set1_pd(0.001);
  for (std::int64_t round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kChains; ++i) chain[i] = _mm512_fmadd_pd(chain[i], factor, term);
  }
  benchmark::DoNotOptimize(chain);
}
#endif

}  // namespace

double peak_operations_per_second(InstructionSet isa) {
#if defined(__x86_64__)
  if (isa == InstructionSet::kAvx2) return best_rate(kRounds * kChains * 4, multiply_add_avx2);
  if (isa == InstructionSet::kAvx512) return best_rate(kRounds * kChains * 8, multiply_add_avx512);
#endif
  (void)isa;
  return 0;
}

}  // namespace tonnage::bench
