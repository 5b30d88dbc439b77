// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Writes the grid of candidates for the command `candidates --grid`: parses its arguments, and
// feeds a GridSink wave by wave from a backend.
#include "host/cli/grid_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "host/cli/formula_note.hpp"
#include "host/cli/interruption.hpp"
#include "host/cli/numbers.hpp"
#include "tonnage/core/printable.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/grid.hpp"
#include "tonnage/io/grid_io.hpp"
#include "tonnage/io/near_miss.hpp"

namespace tonnage::cli {
namespace {

std::vector<std::string> parse_fields(const std::string& text, bool& percentiles) {
  if (text.empty()) return grid_field_names(percentiles);
  const std::vector<std::string> known = grid_field_names(true);
  std::vector<std::string> fields;
  for (const std::string_view name : split(text, ',')) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const std::vector<std::string_view> words(known.begin(), known.end());
      const std::string_view near = nearest_word(name, words);
      throw Exit{kBadInput,
                 fmt::format("--fields: \"{}\" is none of {}{}", name, fmt::join(known, ", "),
                             near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near))};
    }
    fields.emplace_back(name);
    percentiles = percentiles || name.starts_with("ttftP");
  }
  return fields;
}

std::vector<std::int64_t> chosen_lines(const Problem& problem, const GridArguments& a) {
  std::vector<std::int64_t> lines;
  for (std::size_t i = 0; i < problem.lines.size(); ++i) {
    const LineRow& line = problem.lines[i];
    const std::string& accelerator =
        problem.accelerators[problem.perfs[line.perf].accelerator].name();
    if (!a.server.empty() && problem.server_names[line.server] != a.server) continue;
    if (!a.accelerator.empty() && accelerator != a.accelerator) continue;
    lines.push_back(static_cast<std::int64_t>(i));
  }
  return lines;
}

}  // namespace

ExitCode write_grid(const System& system, const GridArguments& a, const Environment& environment) {
  GridOptions options;
  options.batches = parse_range("--batches", a.batches);
  options.replicas = parse_range("--replicas", a.replicas);
  options.percentiles = a.percentiles;
  options.num_threads = environment.num_threads;
  const std::vector<std::string> fields = parse_fields(a.fields, options.percentiles);
  // Half of the memory for columns in progress, half for text waiting to be written.
  options.memory_limit = parse_bytes("--memory", a.memory) / 2;
  if (a.format == "npy" && a.output.empty()) {
    throw Exit{kBadInput, "--format npy writes a folder: name it with --output"};
  }

  const Problem problem = build_problem(system);
  const std::unique_ptr<Evaluator> backend = select_backend(a.backend);
  const std::vector<GridLine> grid = plan_grid(problem, chosen_lines(problem, a), options);
  const std::unique_ptr<GridSink> sink =
      a.format == "npy" ? make_npy_grid(problem, grid, fields, a.output, &unfinished_files())
                        : make_csv_grid(
                              problem, fields, a.output,
                              [&](std::string_view text) { environment.write(text, ""); },
                              options.memory_limit, &unfinished_files());
  std::atomic<std::int64_t> feasible{0};
  const auto lines = static_cast<std::int64_t>(grid.size());
  const ProgressCallback bar = environment.progress();
  std::int64_t candidates = 0;
  for (std::size_t first = 0; first < grid.size();) {
    std::size_t last = first;
    std::int64_t wave = 0;
    do {
      wave += grid[last++].num_candidates();
    } while (last < grid.size() && wave + grid[last].num_candidates() <= sink->wave_candidates());
    candidates += wave;
    const std::span<const GridLine> part(grid.data() + first, last - first);
    options.progress = [&](std::string_view phase, std::int64_t done, std::int64_t) {
      const std::int64_t so_far = static_cast<std::int64_t>(first) + done;
      if (bar) bar(phase, so_far, lines);
    };
    sink->begin_wave(part);
    backend->table(problem, part, options, [&](const GridBlock& block) {
      feasible += std::count(block.verdicts.begin(), block.verdicts.end(), Verdict::kFeasible);
      sink->write(block);
    });
    sink->end_wave();
    first = last;
  }
  const std::string left_over = sink->finish();
  if (!left_over.empty()) environment.note("warning: " + left_over);
  std::int64_t pairs = 0;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    pairs += i == 0 || grid[i].line != grid[i - 1].line;
  }
  note_formulas(system, environment);
  environment.note(fmt::format("{} of {}, {} feasible", counted(candidates, "candidate"),
                               counted(pairs, "pair"), feasible.load()));
  return kSuccess;
}

}  // namespace tonnage::cli
