// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Maximises a concave function of a few variables by analytic-centre cutting planes (J.-L. Goffin,
// A. Haurie, J.-P. Vial, "Decomposition and nondifferentiable optimization with the projective
// algorithm", Management Science 38, 1992), from values and supergradients. Owns: the cuts, the box
// and the centring.
#pragma once

#include <cstddef>
#include <vector>

namespace tonnage::price {

// Affine changes of the variables do not change the path, so badly scaled functions are no harder.
class CentreSearch {
 public:
  struct Box {
    std::vector<double> lower, upper;
  };

  // Variables stay within `widest`. `box` is a first guess of where the maximum is; it grows where
  // the best point comes nearer to a side than `near_side`, a share of its width.
  CentreSearch(Box box, Box widest, double near_side);

  // The function's value at `point` and a slope there (a supergradient).
  void add(const std::vector<double>& point, double value, const std::vector<double>& slope);

  // The same, where values so far were too high: this one is the best.
  void correct(const std::vector<double>& point, double value, const std::vector<double>& slope);

  // Where to look next. Needs one call of add() before.
  [[nodiscard]] std::vector<double> next();

  // How far above the best value the centre's estimate of the function lies. It falls to 0.
  [[nodiscard]] double promise() const { return centre_.back() - best_; }
  [[nodiscard]] const std::vector<double>& best_point() const { return best_point_; }
  [[nodiscard]] double best() const { return best_; }
  [[nodiscard]] const Box& box() const { return box_; }

 private:
  struct Cut {
    std::vector<double> slope;  // height <= offset + slope * point
    double offset;
  };

  void centre();

  std::size_t dims_;
  Box box_, widest_;
  double near_side_;
  std::vector<Cut> cuts_;
  std::vector<double> centre_;  // [dims + 1]: point, height
  double best_;
  std::vector<double> best_point_;
};

}  // namespace tonnage::price
