// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Writes the grid of candidates as a folder of NumPy arrays with a manifest.
#include <algorithm>
#include <bit>
#include <limits>

#include "io/src/json/json_writer.hpp"
#include "io/src/results/grid_fields.hpp"
#include "io/src/results/text_rendering.hpp"
#include "io/src/spec/fields.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/io/atomic_file.hpp"
#include "tonnage/io/grid_io.hpp"

namespace tonnage {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie");

constexpr std::int64_t kVerdicts = static_cast<std::int64_t>(Verdict::kTooManyReplicas) + 1;

// The NumPy type string of a field, and its size in bytes.
std::string_view type_of(const GridField& field) {
  switch (field.kind) {
    case GridFieldKind::kBatch:
    case GridFieldKind::kReplicas:
      return "<i4";
    case GridFieldKind::kVerdict:
      return "|u1";
    case GridFieldKind::kCards:
      return "<i8";
    case GridFieldKind::kColumn:
      return "<f8";
  }
  return "";
}
std::int64_t bytes_of(const GridField& field) { return type_of(field).back() - '0'; }

// The header of an array in NumPy's format 1.0: a Python literal, padded to align the data.
std::string npy_header(std::string_view type, std::int64_t count) {
  constexpr std::size_t kPrefix = 10, kAlignment = 64;
  std::string literal = "{'descr': '" + std::string(type) +
                        "', 'fortran_order': False, 'shape': (" + std::to_string(count) + ",), }";
  const std::size_t used = kPrefix + literal.size() + 1;
  literal.append((kAlignment - used % kAlignment) % kAlignment, ' ');
  literal += '\n';
  std::string header = "\x93NUMPY\x01";
  header += '\0';
  header += static_cast<char>(literal.size() & 0xff);
  header += static_cast<char>(literal.size() >> 8);
  return header + literal;
}

template <class T>
std::string_view as_bytes(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

constexpr std::string_view kManifest = "manifest.json", kLines = "lines.csv";
constexpr std::string_view kFormat = "tonnage candidates";
constexpr std::int64_t kFormatVersion = 1;

std::string file_of(std::string_view field) { return std::string(field) + ".npy"; }

bool is_field_name(std::string_view name) {
  const auto is_letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_letter_or_digit);
}

// The files that the manifest of a grid lists; empty if the text is not such a manifest.
std::vector<std::string> files_of_grid(const std::string& manifest) {
  Diagnostics problems;
  const auto tree = parse_document(manifest, std::string(kManifest), problems);
  if (!tree) return {};
  Report report(problems, std::string(kManifest));
  Fields top(tree->root(), report);
  if (top.text("format") != kFormat ||
      top.integer("formatVersion", {kFormatVersion, kFormatVersion, Presence::kRequired}) !=
          kFormatVersion) {
    return {};
  }
  std::vector<std::string> files{std::string(kManifest), std::string(kLines)};
  if (const auto list = top.array("fields", Presence::kRequired)) {
    list->for_each_child([&](const JsonValue& item) {
      Fields field(item, report);
      const std::string name = field.name("name");
      if (is_field_name(name) && field.name("file") == file_of(name)) {
        files.push_back(file_of(name));
      } else {
        report.error(item.pointer(), item.rendering(), "a field of a grid");
      }
    });
  }
  return problems.has_errors() ? std::vector<std::string>{} : files;
}

class NpyGrid : public GridSink {
 public:
  NpyGrid(const Problem& problem, std::span<const GridLine> grid,
          const std::vector<std::string>& names, const std::string& path,
          UnfinishedFiles* unfinished)
      : problem_(problem),
        fields_(chosen_grid_fields(names)),
        folder_(path, {"a grid", std::string(kManifest), files_of_grid}, unfinished) {
    const std::int64_t count = grid.empty() ? 0 : grid.back().offset + grid.back().num_candidates();
    require_room(count, path);
    for (const GridField& field : fields_) {
      const int file = folder_.add(file_of(field.name));
      const std::string header = npy_header(type_of(field), count);
      folder_.write_at(file, 0, header);
      data_.push_back(static_cast<std::int64_t>(header.size()));
    }
    write_lines(grid);
    const std::string manifest = manifest_of(count, grid.size());
    folder_.write_at(folder_.add(std::string(kManifest)), 0, manifest);
  }

  [[nodiscard]] std::int64_t wave_candidates() const override {
    return std::numeric_limits<std::int64_t>::max();
  }
  void begin_wave(std::span<const GridLine>) override {}
  void end_wave() override {}
  std::string finish() override { return folder_.commit(); }

  void write(const GridBlock& block) override {
    for (std::size_t f = 0; f < fields_.size(); ++f) {
      const GridField& field = fields_[f];
      const std::int64_t at = data_[f] + block.offset() * bytes_of(field);
      const auto file = static_cast<int>(f);
      switch (field.kind) {
        case GridFieldKind::kColumn:
          folder_.write_at(file, at, as_bytes(block[field.column]));
          break;
        case GridFieldKind::kVerdict:
          folder_.write_at(file, at, as_bytes(block.verdicts));
          break;
        case GridFieldKind::kBatch:
          write_counts<std::int32_t>(file, at, block,
                                     [&](std::int64_t b, std::int64_t) { return b; });
          break;
        case GridFieldKind::kReplicas:
          write_counts<std::int32_t>(file, at, block,
                                     [&](std::int64_t, std::int64_t r) { return r; });
          break;
        case GridFieldKind::kCards: {
          const std::int64_t cards = cards_per_replica(problem_, *block.line);
          write_counts<std::int64_t>(file, at, block,
                                     [&](std::int64_t, std::int64_t r) { return r * cards; });
          break;
        }
      }
    }
  }

 private:
  void require_room(std::int64_t count, const std::string& path) const {
    double needed = 0;
    for (const GridField& field : fields_) {
      needed += static_cast<double>(count) * static_cast<double>(bytes_of(field));
    }
    const std::int64_t free = folder_.free_bytes();
    if (free >= 0 && needed > static_cast<double>(free)) {
      throw Error(ErrorCode::kIo, "cannot write " + path + ": " + std::to_string(count) +
                                      " candidates need " + std::to_string(needed / 1e9) +
                                      " GB, the disk has " +
                                      std::to_string(static_cast<double>(free) / 1e9) + " GB left");
    }
  }

  template <class T, class Value>
  void write_counts(int file, std::int64_t at, const GridBlock& block, const Value& value) {
    const GridLine& g = *block.line;
    std::vector<T> values;
    values.reserve(static_cast<std::size_t>(block.num_batches * g.num_replicas));
    for (std::int64_t b = block.first; b < block.first + block.num_batches; ++b) {
      for (std::int64_t r = 0; r < g.num_replicas; ++r) {
        values.push_back(static_cast<T>(value(g.batch(b), g.replicas(r))));
      }
    }
    folder_.write_at(file, at, as_bytes(std::span<const T>(values)));
  }

  void write_lines(std::span<const GridLine> grid) {
    const int file = folder_.add(std::string(kLines));
    std::string text =
        "server,accelerator,offset,firstBatch,batchStep,numBatches,firstReplicas,replicaStep,"
        "numReplicaCounts\r\n";
    std::int64_t written = 0;
    const auto flush = [&] {
      folder_.write_at(file, written, text);
      written += static_cast<std::int64_t>(text.size());
      text.clear();
    };
    for (const GridLine& g : grid) {
      const LineRow& line = problem_.lines[g.line];
      text += csv_field(problem_.server_names[line.server]) + ',' +
              csv_field(problem_.accelerators[problem_.perfs[line.perf].accelerator].name());
      for (const std::int64_t n : {g.offset, g.first_batch, g.batch_step, g.num_batches,
                                   g.first_replicas, g.replica_step, g.num_replicas}) {
        text += ',' + std::to_string(n);
      }
      text += "\r\n";
      if (text.size() > 1 << 20) flush();
    }
    flush();
  }

  [[nodiscard]] std::string manifest_of(std::int64_t count, std::size_t lines) const {
    JsonWriter json(JsonWriter::Unwritable::kReplace);
    json.begin_object();
    json.value("format", kFormat);
    json.value("formatVersion", kFormatVersion);
    json.value("candidates", count);
    json.value("lines", static_cast<std::int64_t>(lines));
    json.value("order",
               "by line of lines.csv, then batch size, then replica count: candidates of a line "
               "start at its offset and reshape to (numBatches, numReplicaCounts)");
    json.begin_array("fields");
    for (const GridField& field : fields_) {
      json.begin_object({}, JsonWriter::Layout::kInline);
      json.value("name", field.name);
      json.value("file", file_of(field.name));
      json.value("type", type_of(field));
      json.value("meaning", field.description);
      json.end();
    }
    json.end();
    json.begin_array("verdicts");
    for (std::int64_t v = 0; v < kVerdicts; ++v) {
      json.begin_object({}, JsonWriter::Layout::kInline);
      json.value("value", v);
      json.value("name", to_string(static_cast<Verdict>(v)));
      json.end();
    }
    json.end();
    json.end();
    return json.take();
  }

  const Problem& problem_;
  std::vector<GridField> fields_;
  AtomicFolder folder_;
  std::vector<std::int64_t> data_;  // where the data of each file starts
};

}  // namespace

std::unique_ptr<GridSink> make_npy_grid(const Problem& problem, std::span<const GridLine> grid,
                                        const std::vector<std::string>& fields,
                                        const std::string& path, UnfinishedFiles* unfinished) {
  return std::make_unique<NpyGrid>(problem, grid, fields, path, unfinished);
}

}  // namespace tonnage
