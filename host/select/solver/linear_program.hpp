// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A linear program that grows by rows and columns. Owns: its solution by the simplex method, and
// access to the last basis, from which cutting planes are made.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace tonnage {

// Minimise objective * x with 0 <= x <= most and row * x <= upper for every row. One thread;
// silent; deterministic. Throws Error (kUnavailable) in a build without the solver library.
class LinearProgram {
 public:
  using Entries = std::vector<std::pair<std::int32_t, double>>;
  struct Row {
    double upper;
    Entries entries;  // column, coefficient
  };
  struct Column {
    double objective;
    double most;
    Entries entries;  // row, coefficient
  };

  LinearProgram();
  ~LinearProgram();
  LinearProgram(const LinearProgram&) = delete;
  LinearProgram& operator=(const LinearProgram&) = delete;

  // New indices follow the existing ones.
  void add_rows(const std::vector<Row>& rows);
  void add_columns(const std::vector<Column>& columns);
  // Later rows move up.
  void remove_rows(const std::vector<std::int32_t>& rows);

  void set_most(std::int32_t column, double most);
  // Adds the bound row * x >= lower.
  void set_lower(std::int32_t row, double lower);

  // Solves from the last basis, if any. False: infeasible, or no solution found.
  bool solve();

  // Whether the last attempt proved infeasibility.
  [[nodiscard]] bool is_impossible() const;

  // Of the last solution.
  [[nodiscard]] std::vector<double> x() const;
  // [rows] Dual prices: the saving by one unit more of `upper`; negative where `lower` binds.
  [[nodiscard]] std::vector<double> prices() const;
  // Work of all solutions so far, in steps of about 20 ns, counted and not timed.
  [[nodiscard]] std::int64_t work() const;

  // The final basis: the variable of every place, columns first, then slacks of rows.
  [[nodiscard]] std::vector<std::int32_t> basis() const;
  // A row of the inverse basis: the multiplier of each row at a place of the basis, up to a common
  // sign.
  [[nodiscard]] std::vector<double> inverse_row(std::int32_t place) const;

 private:
  struct Solver;
  std::unique_ptr<Solver> solver_;
};

}  // namespace tonnage
