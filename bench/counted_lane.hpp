// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A lane type that counts floating-point operations: a double that runs through the shared
// numerics, so that operations per candidate are counted and not estimated.
#pragma once

#include <cmath>
#include <cstdint>

#include "tonnage/core/lanes.hpp"
#include "tonnage/core/sweep_kernel.hpp"
#include "tonnage/core/table_kernel.hpp"

namespace tonnage::bench {

// Each of +, -, *, /, fma, max, min, comparison and selection is one operation.
struct Counted {
  double v;
  Counted() = default;
  explicit Counted(double x) : v(x) {}

  static std::int64_t& operations() {
    thread_local std::int64_t count = 0;
    return count;
  }
  template <class Value>
  static Value counted(Value value) {
    ++operations();
    return value;
  }
  friend Counted operator+(Counted a, Counted b) { return counted(Counted(a.v + b.v)); }
  friend Counted operator-(Counted a, Counted b) { return counted(Counted(a.v - b.v)); }
  friend Counted operator*(Counted a, Counted b) { return counted(Counted(a.v * b.v)); }
  friend Counted operator/(Counted a, Counted b) { return counted(Counted(a.v / b.v)); }
  friend bool operator<(Counted a, Counted b) { return counted(a.v < b.v); }
  friend bool operator>(Counted a, Counted b) { return counted(a.v > b.v); }
  friend bool operator<=(Counted a, Counted b) { return counted(a.v <= b.v); }
};

inline Counted lane_fma(Counted a, Counted b, Counted c) {
  return Counted::counted(Counted(std::fma(a.v, b.v, c.v)));
}
inline Counted lane_fnma(Counted a, Counted b, Counted c) {
  return Counted::counted(Counted(std::fma(-a.v, b.v, c.v)));
}
inline Counted lane_select(bool mask, Counted a, Counted b) {
  return Counted::counted(mask ? a : b);
}
inline Counted lane_max(Counted a, Counted b) { return Counted::counted(a.v > b.v ? a : b); }
inline Counted lane_min(Counted a, Counted b) { return Counted::counted(a.v < b.v ? a : b); }

}  // namespace tonnage::bench

template <>
struct tonnage::LaneTraits<tonnage::bench::Counted> {
  using Mask = bool;
};

namespace tonnage::bench {

// Operations per candidate of a sweep with one chunk count, without the rescaling every 16 states.
inline double sweep_operations(const SweepLine& line) {
  const Counted rate(0.01), slope(0.01), base(0.01), reciprocal(0.5);
  const SweepTest<false, false, Counted> test(line, rate);
  ChainSums<Counted> c{Counted(1.0), Counted(1.0), Counted(0.0)};
  const Counted batch(2.0), before = c.sum;
  Counted::operations() = 0;
  const Counted q = lane_fma(slope, reciprocal, base);
  c.weight = c.weight * q;
  c.sum = c.sum + c.weight;
  c.moment = lane_fma(batch, c.weight, c.moment);
  if (line.max_queue > 0) {
    Counted power[] = {q};
    raise_to_power(power, line.max_queue);
    (void)test.with_room(c, q, power[0], batch, line.max_queue);
  } else {
    (void)test.without_room(c, before, q);
  }
  return static_cast<double>(Counted::operations());
}

// Operations per candidate of a table with one chunk count and the nine columns of the benchmark.
inline double table_operations(const TableLine& line) {
  TableState<Counted> s{{Counted(1.0), Counted(1.0), Counted(0.0)},
                        Counted(0.0),
                        Counted(0.01),
                        Counted(100.0),
                        Counted(0.0)};
  const Counted batch(2.0), replicas(3.0);
  Counted::operations() = 0;
  table_step(s, batch, Counted(10.0));
  const auto prefill = [](Counted) {
    return TablePrefill<Counted>{Counted(1.0), Counted(0.1), Counted(5.0)};
  };
  const TablePoint<Counted> p =
      line.max_queue > 0 ? table_point<true>(line, s, batch, Counted(0.5), Counted(0.01), prefill)
                         : table_point<false>(line, s, batch, Counted(0.5), Counted(0.01), prefill);
  (void)(replicas * Counted(line.cost_per_replica));
  (void)(p.goodput_per_ms * (replicas * Counted(kMsPerMinute)));
  (void)((replicas * Counted(line.instances_per_replica)) * table_power(line, p.rho));
  return static_cast<double>(Counted::operations());
}

}  // namespace tonnage::bench
