// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Analytic-centre search: the centring by Newton's method, and the growing box.
#include "host/select/price/bound/centre_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tonnage::price {
namespace {

// Most Newton steps per centre; an approximate centre is enough.
constexpr int kMaxSteps = 60;
// Factor by which a box grows.
constexpr double kGrowth = 4;

// Solves a x = b for a symmetric positive definite matrix (row-major, lower triangle), in place.
// Pivots that rounding made small are raised, so the answer is always finite.
void solve_positive(std::vector<double>& a, std::vector<double>& b) {
  const std::size_t n = b.size();
  for (std::size_t j = 0; j < n; ++j) {
    const double before = a[j * n + j];
    for (std::size_t k = 0; k < j; ++k) a[j * n + j] -= a[j * n + k] * a[j * n + k];
    a[j * n + j] = std::sqrt(std::max(a[j * n + j], std::max(1e-14 * before, 1e-300)));
    for (std::size_t i = j + 1; i < n; ++i) {
      for (std::size_t k = 0; k < j; ++k) a[i * n + j] -= a[i * n + k] * a[j * n + k];
      a[i * n + j] /= a[j * n + j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
}

}  // namespace

CentreSearch::CentreSearch(Box box, Box widest, double near_side)
    : dims_(box.lower.size()),
      box_(std::move(box)),
      widest_(std::move(widest)),
      near_side_(near_side),
      best_(-std::numeric_limits<double>::infinity()) {}

void CentreSearch::add(const std::vector<double>& point, double value,
                       const std::vector<double>& slope) {
  double offset = value;
  for (std::size_t i = 0; i < dims_; ++i) offset -= slope[i] * point[i];
  cuts_.push_back({slope, offset});
  if (value > best_) {
    best_ = value;
    best_point_ = point;
  }
}

void CentreSearch::correct(const std::vector<double>& point, double value,
                           const std::vector<double>& slope) {
  best_ = -std::numeric_limits<double>::infinity();
  // From a centre that close to the cuts Newton's method would not get far.
  centre_.clear();
  add(point, value, slope);
}

std::vector<double> CentreSearch::next() {
  if (centre_.empty()) {
    for (std::size_t i = 0; i < dims_; ++i) {
      centre_.push_back((box_.lower[i] + box_.upper[i]) / 2);
    }
    double height = std::numeric_limits<double>::infinity();
    for (const Cut& cut : cuts_) {
      double at = cut.offset;
      for (std::size_t i = 0; i < dims_; ++i) at += cut.slope[i] * centre_[i];
      height = std::min(height, at);
    }
    centre_.push_back(std::max(best_, height) + std::abs(best_ - height) * 0.1 + 1e-6);
  }
  for (std::size_t i = 0; i < dims_; ++i) {
    double &lower = box_.lower[i], &upper = box_.upper[i];
    const double width = upper - lower;
    if (upper - best_point_[i] < near_side_ * width) {
      upper = std::max(upper, std::min(widest_.upper[i], lower + kGrowth * width));
    }
    if (best_point_[i] - lower < near_side_ * width) {
      lower = std::min(lower, std::max(widest_.lower[i], upper - kGrowth * width));
    }
  }
  const std::vector<double> before = centre_;
  centre();
  if (!std::all_of(centre_.begin(), centre_.end(), [](double v) { return std::isfinite(v); })) {
    // What is left is smaller than rounding lets Newton's method resolve.
    centre_ = before;
    centre_.back() = best_;
  }
  return {centre_.begin(), centre_.end() - 1};
}

void CentreSearch::centre() {
  const std::size_t n = dims_ + 1;
  const std::size_t rows = cuts_.size() + 1 + 2 * dims_;
  std::vector<double> a(rows * n, 0.0), c(rows), weight(rows, 1.0);
  std::size_t row = 0;
  for (const Cut& cut : cuts_) {
    for (std::size_t i = 0; i < dims_; ++i) a[row * n + i] = -cut.slope[i];
    a[row * n + dims_] = 1;
    c[row++] = cut.offset;
  }
  weight[row] = static_cast<double>(dims_ + 1);
  a[row * n + dims_] = -1;
  c[row++] = -best_;
  for (std::size_t i = 0; i < dims_; ++i) {
    a[row * n + i] = -1;
    c[row++] = -box_.lower[i];
    a[row * n + i] = 1;
    c[row++] = box_.upper[i];
  }

  std::vector<double>& v = centre_;
  std::vector<double> s(rows), r(rows);
  for (std::size_t j = 0; j < rows; ++j) {
    double room = c[j];
    for (std::size_t i = 0; i < n; ++i) room -= a[j * n + i] * v[i];
    s[j] = room > 0 ? room : std::max(-room, 1e-9 * (1 + std::abs(c[j])));
  }
  for (int iteration = 0; iteration < kMaxSteps; ++iteration) {
    double residual = 0;
    for (std::size_t j = 0; j < rows; ++j) {
      r[j] = c[j] - s[j];
      for (std::size_t i = 0; i < n; ++i) r[j] -= a[j * n + i] * v[i];
      residual = std::max(residual, std::abs(r[j]) / s[j]);
    }
    std::vector<double> matrix(n * n, 0.0), step(n, 0.0);
    for (std::size_t j = 0; j < rows; ++j) {
      const double h = weight[j] / (s[j] * s[j]);
      for (std::size_t i = 0; i < n; ++i) {
        if (a[j * n + i] == 0) continue;
        step[i] += a[j * n + i] * (h * r[j] - weight[j] / s[j]);
        for (std::size_t k = 0; k <= i; ++k) matrix[i * n + k] += h * a[j * n + i] * a[j * n + k];
      }
    }
    solve_positive(matrix, step);
    double shrink = 0, decrement = 0;
    std::vector<double> ds(rows);
    for (std::size_t j = 0; j < rows; ++j) {
      ds[j] = r[j];
      for (std::size_t i = 0; i < n; ++i) ds[j] -= a[j * n + i] * step[i];
      shrink = std::max(shrink, -ds[j] / s[j]);
      decrement += weight[j] * ds[j] * ds[j] / (s[j] * s[j]);
    }
    const double t = residual > 1e-9 ? std::min(1.0, 0.9 / std::max(shrink, 1e-300))
                                     : (decrement < 0.0625 ? 1.0 : 1 / (1 + std::sqrt(decrement)));
    for (std::size_t i = 0; i < n; ++i) v[i] += t * step[i];
    for (std::size_t j = 0; j < rows; ++j) s[j] += t * ds[j];
    if (t == 1.0 && decrement < 0.01) break;
  }
  for (std::size_t i = 0; i < dims_; ++i) v[i] = std::clamp(v[i], box_.lower[i], box_.upper[i]);
}

}  // namespace tonnage::price
