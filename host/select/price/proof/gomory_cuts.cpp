// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Gomory mixed-integer cuts of combinations of rows, with guards against rounding errors.
#include "host/select/price/proof/gomory_cuts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/select/price/plans/moves.hpp"

namespace tonnage::price {
namespace {

constexpr double kLeastFraction = 0.02;
constexpr double kMaxError = 1e-5;   // of what a cut sums to at most
constexpr double kMaxSize = 0x1p20;  // of what is rounded
constexpr double kTerms = 8;         // roundings of each part of a combination, and some to spare
constexpr double kGrid = 0x1p32;
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

}  // namespace

std::int32_t Effects::find(const std::vector<Entry>& effect) {
  std::uint64_t key = 0;
  for (const Entry& e : effect) {
    key = mixed(mixed(key, static_cast<std::uint64_t>(e.row)),
                static_cast<std::uint64_t>(static_cast<std::int64_t>(e.amount)));
  }
  for (;; key = mixed(key, 1)) {
    const auto [at, fresh] = index_.try_emplace(key, size());
    if (fresh) return append(effect);
    const bool same = std::equal(
        begin(at->second), end(at->second), effect.begin(), effect.end(),
        [](const Entry& a, const Entry& b) { return a.row == b.row && a.amount == b.amount; });
    if (same) return at->second;
  }
}

std::int32_t Effects::copy(std::int32_t slot) { return append({begin(slot), end(slot)}); }

std::int32_t Effects::append(const std::vector<Entry>& effect) {
  entries_.insert(entries_.end(), effect.begin(), effect.end());
  first_.push_back(entries_.size());
  return size() - 1;
}

bool gomory_cuts(const Effects& effects, const std::vector<double>& room,
                 const Combination& combination, const std::vector<Moved>& moved, Cut& cut) {
  const auto slots = static_cast<std::size_t>(effects.size());
  // Multiples of a power of two: what they are multiplied with are whole numbers, so that no sum of
  // those is rounded.
  std::vector<double> u;
  for (const double multiplier : combination.u) u.push_back(std::round(multiplier * kGrid) / kGrid);
  // What each choice takes, and the sizes of what adds up to that and to its share.
  std::vector<double> z(slots, 0.0), size(slots, 0.0);
  for (std::int32_t s = 0; s < effects.size(); ++s) {
    for (const auto* e = effects.begin(s); e != effects.end(s); ++e) {
      if (u[e->row] == 0) continue;
      z[s] += u[e->row] * e->amount;
      size[s] += (std::abs(u[e->row]) + 1) * std::abs(e->amount);
    }
  }
  double b = 0, size_of_b = 1;
  for (std::size_t r = 0; r < room.size(); ++r) {
    b += u[r] * room[r];
    size_of_b += (std::abs(u[r]) + 1) * std::abs(room[r]);
  }
  for (const auto& [part, weight] : combination.cuts) {
    for (std::size_t s = 0; s < slots; ++s) {
      const double product = weight * part->share[s];
      z[s] += product;
      size[s] += std::abs(product);
    }
    b += weight * part->most;
    size_of_b += std::abs(weight * part->most);
  }
  for (const Moved& m : moved) {
    b -= z[m.slot];
    size_of_b += size[m.slot] + 1;
  }
  if (*std::max_element(size.begin(), size.end()) > kMaxSize) return false;
  const double terms = kTerms * static_cast<double>(combination.cuts.size() + room.size());
  const double error_of_b =
      kEpsilon * (terms + kTerms * static_cast<double>(moved.size())) * size_of_b;
  b += error_of_b;
  const double f0 = b - std::floor(b);
  if (f0 < kLeastFraction || f0 > 1 - kLeastFraction) return false;
  const double slope = 1 / (1 - f0);
  if (error_of_b * slope > kMaxError) return false;
  const auto rounded = [&](double v) {
    const double whole = std::floor(v);
    return whole + std::max(0.0, v - whole - f0) * slope;
  };
  // What shares may have become too large by; smaller ones hold as well.
  const auto error = [&](double of) { return of == 0 ? 0 : kEpsilon * terms * slope * (of + 1); };
  cut.most = std::floor(b) + error_of_b * slope;
  cut.share.resize(slots);
  for (std::size_t s = 0; s < slots; ++s) {
    cut.share[s] = size[s] == 0 ? 0 : rounded(z[s]) - error(size[s]);
  }
  // What the reference takes is 0 again after this.
  for (const Moved& m : moved) {
    const double before = rounded(-z[m.slot]) - error(size[m.slot]);
    for (const std::int32_t s : m.own) {
      cut.share[s] = rounded(z[s] - z[m.slot]) - error(size[m.slot] + size[s]) - before;
    }
    cut.most -= before;
  }
  for (std::size_t r = 0; r < room.size(); ++r) {
    if (u[r] == 0) continue;
    u[r] = rounded(u[r]) - error(std::abs(u[r]));
    cut.most -= u[r] * room[r];
  }
  for (std::int32_t s = 0; s < effects.size(); ++s) {
    for (const auto* e = effects.begin(s); e != effects.end(s); ++e) {
      cut.share[s] -= u[e->row] * e->amount;
    }
  }
  for (const auto& [part, weight] : combination.cuts) {
    const double of_rest = std::min(0.0, weight) * slope * (1 + 4 * kEpsilon);
    if (of_rest == 0) continue;
    for (std::size_t s = 0; s < slots; ++s) cut.share[s] -= of_rest * part->share[s];
    cut.most -= of_rest * part->most;
  }
  return true;
}

}  // namespace tonnage::price
