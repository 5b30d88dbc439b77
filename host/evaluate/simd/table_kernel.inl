// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Body of fill_table_*. Included once per instruction set, after sweep_kernel.inl. Batch sizes are
// the outer loop, so every column is written from front to back while the chains of all replica
// counts stay in the first-level cache.

#include <algorithm>

#include "host/evaluate/simd/table_kernel.hpp"

namespace tonnage {
namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA) {

struct SharedPrefill {
  const TabledLine& line;
  TONNAGE_HD TablePrefill<Pack> operator()(const Pack&) const {
    return {Pack(line.chunks[1]), Pack(line.delta_ms[1]), Pack(line.work_ms[1])};
  }
};

// Prefill where chunk counts grow with the batch: looked up lane by lane.
struct SteppedPrefill {
  const TabledLine& line;
  double batch;
  TONNAGE_HD TablePrefill<Pack> operator()(const Pack& in_service) const {
    double x[kLanes], chunks[kLanes], delta[kLanes], work[kLanes];
    in_service.store(x);
    for (int i = 0; i < kLanes; ++i) {
      const double rounded = x[i] + 0.5;
      const auto n = static_cast<std::int64_t>(rounded >= batch ? batch
                                                                : (rounded >= 1 ? rounded : 1));
      chunks[i] = line.chunks[n];
      delta[i] = line.delta_ms[n];
      work[i] = line.work_ms[n];
    }
    return {Pack::load(chunks), Pack::load(delta), Pack::load(work)};
  }
};

TONNAGE_HD void store_lanes(const Pack& value, double* to, std::int64_t lanes) {
  if (to == nullptr) return;
  if (lanes == kLanes) {
    value.store(to);
    return;
  }
  double lane[kLanes];
  value.store(lane);
  for (std::int64_t i = 0; i < lanes; ++i) to[i] = lane[i];
}

template <bool kHasRoom, bool kStepped>
TONNAGE_HD std::int64_t fill_table(const TabledLine& line, const TableLine& table,
                                   TableChains& chains, std::int64_t first, std::int64_t step,
                                   std::int64_t num, const TableRows& rows) {
  const TableLine l = table;
  const std::int64_t last = first + (num - 1) * step;
  const std::int64_t count = chains.count;
  const std::int64_t padded = (count + kLanes - 1) / kLanes * kLanes;
  const Pack inverse_out_tokens(1.0 / l.out_tokens);
  const Pack longest(static_cast<double>(line.sweep.max_batch));
  // The fewest replicas see the highest rate.
  const double most_rate = *std::max_element(chains.rate, chains.rate + count);
  bool in_range = true;
  Mask faint{};
  std::int64_t next = first, row = 0, held = 0;
  for (std::int64_t n = chains.states + 1; n <= last; ++n) {
    const Pack state(static_cast<double>(n));
    const Pack inv_mu(line.inv_mu[n]);
    const Pack inverse_batch(line.reciprocal[n]);
    const bool wanted = n == next;
    const std::int64_t base = row * count;
    in_range = in_range && most_rate * line.inv_mu[n] <= kMostTableLoad;
    for (std::int64_t i = 0; i < padded; i += kLanes) {
      TableState<Pack> s;
      s.chain = {Pack::load(chains.weight + i), Pack::load(chains.sum + i),
                 Pack::load(chains.moment + i)};
      s.rate = Pack::load(chains.rate + i);
      s.inverse_rate = Pack::load(chains.inverse_rate + i);
      table_step(s, state, inv_mu);
      if (wanted) {
        TablePoint<Pack> p;
        if constexpr (kStepped) {
          faint = faint | ((s.chain.weight < s.chain.sum * Pack(kLeastTableWeight)) &
                           (s.q > Pack(1.0)));
          p = table_point<kHasRoom>(l, s, state, inverse_batch, inverse_out_tokens,
                                    SteppedPrefill{line, static_cast<double>(n)});
        } else {
          p = table_point<kHasRoom>(l, s, state, inverse_batch, inverse_out_tokens,
                                    SharedPrefill{line});
        }
        const Pack replicas = Pack::load(chains.replicas + i);
        const std::int64_t lanes = count - i < kLanes ? count - i : kLanes;
        const auto put = [&](GridColumn column, const Pack& value) {
          double* to = rows.column[static_cast<int>(column)];
          store_lanes(value, to == nullptr ? to : to + base + i, lanes);
        };
        put(GridColumn::kCost, replicas * Pack(l.cost_per_replica));
        put(GridColumn::kGoodput, p.goodput_per_ms * (replicas * Pack(60000.0)));
        put(GridColumn::kDrop, p.drop);
        put(GridColumn::kItl, p.itl_ms);
        put(GridColumn::kTtft, p.ttft_ms);
        put(GridColumn::kWait, p.wait_ms);
        put(GridColumn::kPrefill, p.prefill_ms);
        put(GridColumn::kResponse, p.response_ms);
        put(GridColumn::kRho, p.rho);
        put(GridColumn::kPower,
            (replicas * Pack(l.instances_per_replica)) * table_power(l, p.rho));
        if (rows.wait_weight != nullptr) {
          store_lanes(p.wait_weight, rows.wait_weight + base + i, lanes);
          store_lanes(p.wait_ratio, rows.load + base + i, lanes);
        }
      }
      if (n % kChainBlock == 0) {
        if constexpr (kStepped) {
          // Service may slow down again, so no weight is cut.
          (void)chain_block_end(s.chain, Pack(1.0), n, longest);
        } else {
          (void)chain_block_end(s.chain, s.q, n, longest);
        }
      }
      s.chain.weight.store(chains.weight + i);
      s.chain.sum.store(chains.sum + i);
      s.chain.moment.store(chains.moment + i);
    }
    if (wanted) {
      if (held == row && in_range && !lane_any(faint)) ++held;
      next += step;
      ++row;
    }
  }
  chains.states = last;
  return held;
}

}  // namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA)

std::int64_t TONNAGE_CONCAT(fill_table_, TONNAGE_ISA)(const TabledLine& line,
                                                      const TableLine& table, TableChains& chains,
                                                      std::int64_t first, std::int64_t step,
                                                      std::int64_t num, const TableRows& rows) {
  using namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA);
  if (table.max_queue > 0) {
    return line.stepped ? fill_table<true, true>(line, table, chains, first, step, num, rows)
                        : fill_table<true, false>(line, table, chains, first, step, num, rows);
  }
  return line.stepped ? fill_table<false, true>(line, table, chains, first, step, num, rows)
                      : fill_table<false, false>(line, table, chains, first, step, num, rows);
}

}  // namespace tonnage
