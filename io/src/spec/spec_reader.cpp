// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Reads fleets from combined files, folders and standard input.
#include "tonnage/io/spec_reader.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <vector>

#include "io/src/files/input_text.hpp"
#include "io/src/spec/spec_checks.hpp"
#include "io/src/spec/spec_sections.hpp"

namespace tonnage {
namespace {

void read_combined(const JsonValue& root, const std::string& file, SpecReadResult& result,
                   SectionSources& sources) {
  Report report(result.diagnostics, file);
  Fields top(root, report);
  const auto system = top.object("system", Presence::kRequired);
  top.finish();
  if (!system) return;
  Fields fields(*system, report);
  for (const SectionLayout& layout : kSectionLayouts) {
    if (const auto value = fields.object(layout.key, layout.presence)) {
      read_section(layout, *value, file, report, result.spec, sources);
    }
  }
  fields.finish();
}

// Whether a folder has no entry of that name. An entry that exists but cannot be reached, such as a
// dangling link, is not absent: its limits would be lost silently.
bool is_absent(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) != 0 && errno == ENOENT;
}

SpecReadResult read_folder(const std::string& folder) {
  SpecReadResult result;
  SectionSources sources;
  for (const SectionLayout& layout : kSectionLayouts) {
    const std::string file = (std::filesystem::path(folder) / layout.file_name).string();
    if (layout.presence == Presence::kOptional && is_absent(file)) continue;
    const auto text = read_input_text(file, result.diagnostics);
    if (!text) continue;
    if (const auto tree = parse_document(*text, file, result.diagnostics)) {
      Report report(result.diagnostics, file);
      read_section(layout, tree->root(), file, report, result.spec, sources);
    }
  }
  check_spec(result.spec, sources, result.diagnostics);
  return result;
}

}  // namespace

SpecReadResult read_system(const std::string& path) {
  std::error_code ignored;
  if (path != "-" && std::filesystem::is_directory(path, ignored)) return read_folder(path);
  SpecReadResult result;
  const auto text = read_input_text(path, result.diagnostics);
  if (!text) return result;
  return read_system_from_string(*text, input_display_name(path));
}

SpecReadResult read_system_from_string(std::string_view text, const std::string& display_name) {
  SpecReadResult result;
  const auto tree = parse_document(text, display_name, result.diagnostics);
  if (!tree) return result;
  SectionSources sources;
  read_combined(tree->root(), display_name, result, sources);
  check_spec(result.spec, sources, result.diagnostics);
  return result;
}

}  // namespace tonnage
