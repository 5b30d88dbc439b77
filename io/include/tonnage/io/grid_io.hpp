// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The table of candidates as files: comma-separated values, or a folder of NumPy arrays. Owns: the
// names, types and units of the fields, and the order of rows.
//
// Example:
//   #include "tonnage/core/system.hpp"
//   const tonnage::Problem problem = tonnage::build_problem(tonnage::System());
//   const auto print = [](std::string_view text) {
//     std::fwrite(text.data(), 1, text.size(), stdout);
//   };
//   const auto sink =
//       tonnage::make_csv_grid(problem, tonnage::grid_field_names(false), "", print, 1 << 20);
//   std::puts(sink->finish().c_str());
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tonnage/core/grid.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/io/unfinished_files.hpp"

namespace tonnage {

// Names of all fields, in the order of the files: server, accelerator (CSV only), maxBatch,
// numReplicas, verdict, cost, cards, ...
[[nodiscard]] std::vector<std::string> grid_field_names(bool percentiles);

// Receives the candidates of a grid, wave by wave. A wave is a range of consecutive lines, whose
// blocks may come from several threads. A sink that is not finished removes its files.
// `unfinished`, below, receives temporary names and must outlive the sink.
class GridSink {
 public:
  virtual ~GridSink() = default;
  // Recommended number of candidates of a wave; a single line may have more.
  [[nodiscard]] virtual std::int64_t wave_candidates() const = 0;
  virtual void begin_wave(std::span<const GridLine> lines) = 0;
  // The ordinal of the block counts from the first line of the wave.
  virtual void write(const GridBlock& block) = 0;
  virtual void end_wave() = 0;
  // Gives the result its final name. Throws Error: kIo, or kInvalidInput if the folder to be
  // replaced has changed into one that may not be. Returns a message for the user if a replaced
  // folder could not be removed; else empty.
  [[nodiscard]] virtual std::string finish() = 0;
};

// Comma-separated values with a header; rows by line, batch size, replica count. Goes to a file
// (whole or not at all) or, where `path` is empty, to `output` in pieces. `fields` is a subset of
// grid_field_names() in that order; server, accelerator, maxBatch and numReplicas are always
// written.
[[nodiscard]] std::unique_ptr<GridSink> make_csv_grid(const Problem& problem,
                                                      const std::vector<std::string>& fields,
                                                      const std::string& path,
                                                      std::function<void(std::string_view)> output,
                                                      std::int64_t memory_limit,
                                                      UnfinishedFiles* unfinished = nullptr);

// A folder with one array per field (FIELD.npy, ready to be mapped into memory), lines.csv (start
// and shape of each line) and manifest.json (contents of the arrays). An existing folder is
// replaced if it is empty or a complete grid with nothing beside it. Throws Error: kInvalidInput
// for any other existing path, kIo if the disk is too small.
[[nodiscard]] std::unique_ptr<GridSink> make_npy_grid(const Problem& problem,
                                                      std::span<const GridLine> grid,
                                                      const std::vector<std::string>& fields,
                                                      const std::string& path,
                                                      UnfinishedFiles* unfinished = nullptr);

}  // namespace tonnage
