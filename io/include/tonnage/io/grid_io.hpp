// The table of candidates as files: comma-separated values, or a folder of NumPy arrays. Owns: the
// names, types and units of the fields, and the order of rows.
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

// Names of all fields, in the order of the files: server, accelerator (of CSV only), maxBatch,
// numReplicas, verdict, cost, cards, ...
[[nodiscard]] std::vector<std::string> grid_field_names(bool percentiles);

// Takes the candidates of a grid, wave by wave: consecutive lines of the grid, whose blocks may
// come from several threads. What is not finished leaves nothing behind; `unfinished`, below, is
// told of temporary names and outlives the sink.
class GridSink {
 public:
  virtual ~GridSink() = default;
  // Candidates that a wave should have at most; a single line may have more.
  [[nodiscard]] virtual std::int64_t wave_candidates() const = 0;
  virtual void begin_wave(std::span<const GridLine> lines) = 0;
  // The ordinal of the block counts from the first line of the wave.
  virtual void write(const GridBlock& block) = 0;
  virtual void end_wave() = 0;
  // Gives the result its name. Throws Error (kIo; kInvalidInput where a folder to be replaced has
  // changed into one that may not be). Returns what to tell people of what was replaced and could
  // not be removed; empty otherwise.
  [[nodiscard]] virtual std::string finish() = 0;
};

// Comma-separated values with a header, rows by line, batch size, replica count, to a file (whole
// or not at all) or, where `path` is empty, to `output` as they come. `fields`: the wanted ones of
// grid_field_names(), in that order; server, accelerator, maxBatch and numReplicas always come.
[[nodiscard]] std::unique_ptr<GridSink> make_csv_grid(const Problem& problem,
                                                      const std::vector<std::string>& fields,
                                                      const std::string& path,
                                                      std::function<void(std::string_view)> output,
                                                      std::int64_t memory_limit,
                                                      UnfinishedFiles* unfinished = nullptr);

// A folder with one array per field (FIELD.npy, to be opened as they are or mapped into memory),
// lines.csv (where each line starts and how it is shaped) and manifest.json (what the arrays hold).
// An existing folder is replaced if it is empty or such a grid, whole and with nothing beside it.
// Throws Error: kInvalidInput for any other path that is taken, kIo when the disk is too small.
[[nodiscard]] std::unique_ptr<GridSink> make_npy_grid(const Problem& problem,
                                                      std::span<const GridLine> grid,
                                                      const std::vector<std::string>& fields,
                                                      const std::string& path,
                                                      UnfinishedFiles* unfinished = nullptr);

}  // namespace tonnage
