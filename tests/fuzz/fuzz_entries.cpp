// Reads, writes and reads again.
#include "fuzz/fuzz_entries.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tonnage/io/solution.hpp"
#include "tonnage/io/spec_reader.hpp"
#include "tonnage/io/spec_writer.hpp"

namespace tonnage::fuzz {
namespace {

void require(bool holds, const char* what, const std::string& text) {
  if (holds) return;
  std::fprintf(stderr, "%s:\n%s\n", what, text.c_str());
  std::abort();
}

// Both forms of a report must be possible whatever the input.
void render(const Diagnostics& diagnostics) {
  require(diagnostics.to_text(10).empty() ==
              (diagnostics.num_errors() + diagnostics.num_warnings() == 0),
          "text without problems or the other way round", diagnostics.to_text());
  require(!diagnostics.to_json().empty(), "no JSON", {});
}

}  // namespace

void spec_reader(std::string_view input) {
  const SpecReadResult first = read_system_from_string(input, "input");
  render(first.diagnostics);
  if (first.diagnostics.has_errors()) return;
  const std::string text = system_to_json(first.spec);
  const SpecReadResult second = read_system_from_string(text, "written");
  require(!second.diagnostics.has_errors(), "what was written is refused", text);
  require(second.spec == first.spec, "what was written reads back differently", text);
}

void solution_reader(std::string_view input) {
  const SolutionReadResult first = read_solution_from_string(input, "input");
  render(first.diagnostics);
  if (first.diagnostics.has_errors()) return;
  const std::string text = solution_to_json(first.allocations);
  const SolutionReadResult second = read_solution_from_string(text, "written");
  require(!second.diagnostics.has_errors(), "what was written is refused", text);
  require(second.allocations == first.allocations, "what was written reads back differently", text);
}

}  // namespace tonnage::fuzz
