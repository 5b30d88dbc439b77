// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Writes the grid of candidates as comma-separated values.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "io/src/results/grid_fields.hpp"
#include "io/src/results/text_rendering.hpp"
#include "tonnage/io/atomic_file.hpp"
#include "tonnage/io/grid_io.hpp"

namespace tonnage {
namespace {

// Approximate bytes of a row of all fields.
constexpr std::int64_t kRowBytes = 256;

template <class Number>
void append(std::string& text, Number number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  text.append(digits, end);
}

class CsvGrid : public GridSink {
 public:
  CsvGrid(const Problem& problem, const std::vector<std::string>& fields, const std::string& path,
          std::function<void(std::string_view)> output, std::int64_t memory_limit,
          UnfinishedFiles* unfinished)
      : problem_(problem),
        fields_(chosen_grid_fields(fields)),
        output_(std::move(output)),
        wave_(std::max<std::int64_t>(1, memory_limit / kRowBytes)) {
    std::erase_if(fields_, [](const GridField& f) {
      return f.kind == GridFieldKind::kBatch || f.kind == GridFieldKind::kReplicas;
    });
    if (!path.empty()) file_.emplace(path, unfinished);
    std::string header = "server,accelerator,maxBatch,numReplicas";
    for (const GridField& field : fields_) (header += ',') += field.name;
    put(header + "\r\n");
  }

  [[nodiscard]] std::int64_t wave_candidates() const override { return wave_; }

  void begin_wave(std::span<const GridLine> lines) override { texts_.assign(lines.size(), {}); }

  void write(const GridBlock& block) override {
    std::string& text = texts_[static_cast<std::size_t>(block.ordinal)];
    const GridLine& g = *block.line;
    const LineRow& line = problem_.lines[g.line];
    const std::string names =
        csv_field(problem_.server_names[line.server]) + ',' +
        csv_field(problem_.accelerators[problem_.perfs[line.perf].accelerator].name()) + ',';
    std::size_t i = 0;
    for (std::int64_t b = block.first; b < block.first + block.num_batches; ++b) {
      for (std::int64_t r = 0; r < g.num_replicas; ++r, ++i) {
        text += names;
        append(text, g.batch(b));
        text += ',';
        append(text, g.replicas(r));
        for (const GridField& field : fields_) {
          text += ',';
          append_field(text, field, block, g.replicas(r), i);
        }
        text += "\r\n";
      }
    }
    // The only line of a wave is written directly.
    if (texts_.size() == 1) {
      put(text);
      text.clear();
    }
  }

  void end_wave() override {
    for (const std::string& text : texts_) put(text);
    texts_.clear();
  }

  std::string finish() override {
    if (file_) file_->commit();
    return {};
  }

 private:
  void put(std::string_view text) {
    if (file_) {
      file_->write(text);
    } else {
      output_(text);
    }
  }

  void append_field(std::string& text, const GridField& field, const GridBlock& block,
                    std::int64_t replicas, std::size_t i) const {
    switch (field.kind) {
      case GridFieldKind::kBatch:
      case GridFieldKind::kReplicas:
        return;
      case GridFieldKind::kVerdict:
        text += to_string(block.verdicts[i]);
        return;
      case GridFieldKind::kCards:
        append(text, replicas * cards_per_replica(problem_, *block.line));
        return;
      case GridFieldKind::kColumn: {
        const double number = block[field.column][i];
        if (std::isfinite(number)) append(text, number);
        return;
      }
    }
  }

  const Problem& problem_;
  std::vector<GridField> fields_;
  std::function<void(std::string_view)> output_;
  std::int64_t wave_;
  std::optional<AtomicFile> file_;
  std::vector<std::string> texts_;  // [lines of the wave]
};

}  // namespace

std::unique_ptr<GridSink> make_csv_grid(const Problem& problem,
                                        const std::vector<std::string>& fields,
                                        const std::string& path,
                                        std::function<void(std::string_view)> output,
                                        std::int64_t memory_limit, UnfinishedFiles* unfinished) {
  return std::make_unique<CsvGrid>(problem, fields, path, std::move(output), memory_limit,
                                   unfinished);
}

}  // namespace tonnage
