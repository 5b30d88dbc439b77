// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Gomory mixed-integer cuts over choices (R. Gomory, 1960; G. Nemhauser, L. Wolsey, "Integer and
// Combinatorial Optimization", 1988). Owns: the numbering of choices by what they take, and the
// rule that makes a cut of a combination of rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tonnage::price {

// Servers' choices by what they take beyond the server's choice in a reference: choices that take
// the same have the same number, a slot. Slot 0 is that of the reference itself.
class Effects {
 public:
  struct Entry {
    std::int32_t row;
    double amount;  // a whole number
  };

  Effects() { (void)find({}); }

  [[nodiscard]] std::int32_t size() const { return static_cast<std::int32_t>(first_.size()) - 1; }
  [[nodiscard]] const Entry* begin(std::int32_t slot) const {
    return entries_.data() + first_[slot];
  }
  [[nodiscard]] const Entry* end(std::int32_t slot) const {
    return entries_.data() + first_[slot + 1];
  }

  // The slot of an effect (ascending rows), a new one if there is none.
  std::int32_t find(const std::vector<Entry>& effect);
  // Another slot of the same effect, for one server alone.
  std::int32_t copy(std::int32_t slot);

 private:
  std::int32_t append(const std::vector<Entry>& effect);

  std::vector<Entry> entries_;
  std::vector<std::size_t> first_{0};
  std::unordered_map<std::uint64_t, std::int32_t> index_;
};

// In every plan the shares of the choices taken sum to at most `most`.
struct Cut {
  std::vector<double> share;  // [slots], 0 for the reference
  double most = 0;
};

// Rows that are added up: u of every row, weights of earlier cuts.
struct Combination {
  std::vector<double> u;
  std::vector<std::pair<const Cut*, double>> cuts;
};

// A server whose choice in a solution is not that of the reference: the slot of it, and the slots
// of all the server's choices but that of the reference. They are the server's own.
struct Moved {
  std::int32_t slot;
  std::vector<std::int32_t> own;
};

// Gomory's mixed-integer cut of a combination of rows. `room`: what the reference leaves of each.
// With z what a choice takes of the combination beyond what the server's choice in the solution
// does, b what the choices of the solution leave and f0 its fraction,
//     sum of F(z) over the choices taken <= floor(b),  F(z) = floor(z) + max(0, frac(z) - f0)/(1 -
//     f0)
// holds for whole choices whatever the combination (what is left of a row counts as a choice of
// size u, what is left of a cut as one that need not be whole). False: rounding says nothing, or
// the numbers are too large for it. Shares are a little smaller, and `most` a little larger, than
// what rounding errors may hide.
bool gomory_cuts(const Effects& effects, const std::vector<double>& room,
                 const Combination& combination, const std::vector<Moved>& moved, Cut& cut);

}  // namespace tonnage::price
