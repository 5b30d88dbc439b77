// A linear program that grows by rows and columns. Owns: its solution by the simplex method and the
// view of the last basis that cutting planes are made from.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace tonnage {

// Minimise objective * x, 0 <= x <= most, with row * x <= upper for every row. One thread; silent;
// the same calls give the same answers. Throws Error (kUnavailable) in a build without the solver
// library.
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

  // Indices follow those there are.
  void add_rows(const std::vector<Row>& rows);
  void add_columns(const std::vector<Column>& columns);
  // Those that follow move up.
  void remove_rows(const std::vector<std::int32_t>& rows);

  void set_most(std::int32_t column, double most);
  // From now on row * x >= lower holds, too.
  void set_lower(std::int32_t row, double lower);

  // From the last basis where there is one. False: no solution, or none found.
  bool solve();

  // Whether the last attempt found that nothing holds.
  [[nodiscard]] bool is_impossible() const;

  // Of the last solution.
  [[nodiscard]] std::vector<double> x() const;
  // [rows] What a unit more of `upper` would save; below 0 where `lower` binds.
  [[nodiscard]] std::vector<double> prices() const;
  // What solutions took so far, in steps of about 20 ns, counted and not timed.
  [[nodiscard]] std::int64_t work() const;

  // Where the simplex method ended: the variable of every place of the basis, columns first, then
  // the slacks of rows.
  [[nodiscard]] std::vector<std::int32_t> basis() const;
  // How often each row counts in what a place of the basis amounts to, up to the sign of all.
  [[nodiscard]] std::vector<double> inverse_row(std::int32_t place) const;

 private:
  struct Solver;
  std::unique_ptr<Solver> solver_;
};

}  // namespace tonnage
