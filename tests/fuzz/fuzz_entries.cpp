// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The checks on every fuzzed input: round trips, repeated answers, and refusals safe for a
// terminal.
#include "fuzz/fuzz_entries.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "host/cli/environment.hpp"
#include "host/cli/numbers.hpp"
#include "tonnage/core/plan.hpp"
#include "tonnage/core/printable.hpp"
#include "tonnage/io/near_miss.hpp"
#include "tonnage/io/plan_io.hpp"
#include "tonnage/io/queue_io.hpp"
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

bool lines_are_printable(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (printable(text.substr(0, end)) != text.substr(0, end)) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

// Both forms of a report must be possible for any input, and contain nothing that a terminal obeys.
void render(const Diagnostics& diagnostics) {
  const std::string text = diagnostics.to_text(10);
  require(text.empty() == (diagnostics.num_errors() + diagnostics.num_warnings() == 0),
          "text without problems or the other way round", text);
  require(lines_are_printable(text), "a message holds what a terminal obeys", text);
  const std::string json = diagnostics.to_json();
  require(nlohmann::json::accept(json), "the report is no JSON", json);
  require(lines_are_printable(json), "a report holds what a terminal obeys", json);
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

namespace {

// The plan that states the given claims.
Plan plan_of(const PlanClaims& claims) {
  Plan plan;
  for (const auto& [server, claim] : claims.allocations) {
    PlannedServer planned;
    planned.server = server;
    AllocationSpec& a = planned.allocation;
    a.accelerator = claim.accelerator.value_or("");
    a.num_replicas = claim.num_replicas.value_or(0);
    a.max_batch = claim.max_batch.value_or(0);
    a.cost_cents_per_hour = claim.cost_cents_per_hour.value_or(0);
    a.itl_average_ms = claim.itl_average_ms.value_or(0);
    a.ttft_average_ms = claim.ttft_average_ms.value_or(0);
    a.load = claim.load.value_or(LoadSpec{});
    a.parts = claim.parts;
    planned.parts.resize(claim.parts.size());
    planned.value = claim.value.value_or(0);
    planned.metrics.rho = claim.rho.value_or(0);
    planned.metrics.power_w = claim.power_w.value_or(0);
    planned.partial = claim.partial.value_or(false);
    plan.allocations.push_back(std::move(planned));
  }
  if (claims.unallocated) {
    for (const std::string& server : *claims.unallocated) {
      plan.unallocated.emplace_back().server = server;
    }
  }
  const SummaryClaims summary = claims.summary.value_or(SummaryClaims{});
  plan.summary.total_cost = summary.total_cost.value_or(0);
  plan.summary.total_value = summary.total_value.value_or(0);
  if (summary.types) {
    for (const auto& [type, t] : *summary.types) {
      plan.summary.types.push_back({type, t.used.value_or(0), t.limit, t.cost.value_or(0), {}});
    }
  }
  for (const auto& [name, used] : summary.limits)
    plan.summary.limits.push_back({name, used, 0, {}});
  return plan;
}

// The first difference between the plan above and what it reads back as; empty if none.
std::string difference(const PlanClaims& claims, const PlanClaims& back) {
  if (back.allocations.size() != claims.allocations.size()) return "allocations";
  for (const auto& [server, claim] : claims.allocations) {
    const auto found = back.allocations.find(server);
    if (found == back.allocations.end()) return "a server's name";
    const AllocationClaims& b = found->second;
    const auto differs = [](const auto& stated, const auto& read) {
      return stated && stated != read;
    };
    if (differs(claim.accelerator, b.accelerator)) return "accelerator";
    if (differs(claim.num_replicas, b.num_replicas)) return "numReplicas";
    if (differs(claim.max_batch, b.max_batch)) return "maxBatch";
    if (differs(claim.cost_cents_per_hour, b.cost_cents_per_hour)) return "cost";
    if (differs(claim.itl_average_ms, b.itl_average_ms)) return "itlAverage";
    if (differs(claim.ttft_average_ms, b.ttft_average_ms)) return "ttftAverage";
    if (differs(claim.load, b.load)) return "load";
    if (differs(claim.value, b.value)) return "value";
    if (differs(claim.rho, b.rho)) return "rho";
    if (differs(claim.power_w, b.power_w)) return "powerW";
    if (differs(claim.partial, b.partial)) return "partial";
    if (claim.parts != b.parts) return "parts";
  }
  if (claims.unallocated && claims.unallocated != back.unallocated) return "unallocated";
  if (!claims.summary) return "";
  if (!back.summary) return "summary";
  if (claims.summary->limits != back.summary->limits) return "limits";
  if (!claims.summary->types) return "";
  if (back.summary->types->size() != claims.summary->types->size()) return "types";
  for (const auto& [type, claim] : *claims.summary->types) {
    const auto found = back.summary->types->find(type);
    if (found == back.summary->types->end()) return "a type's name";
    if (claim.limit != found->second.limit) return "limit of a type";
    if (claim.used && claim.used != found->second.used) return "used of a type";
  }
  return "";
}

}  // namespace

void plan_reader(std::string_view input) {
  const PlanReadResult first = read_plan_from_string(input, "input");
  render(first.diagnostics);
  if (first.diagnostics.has_errors()) return;
  const std::string text = plan_to_json(plan_of(first.claims));
  require(lines_are_printable(text), "a plan holds what a terminal obeys", text);
  const PlanReadResult second = read_plan_from_string(text, "written");
  require(!second.diagnostics.has_errors(), "what was written is refused", text);
  const std::string differs = difference(first.claims, second.claims);
  require(differs.empty(), "what was written reads back differently", differs + "\n" + text);
}

namespace {

// The largest number after a key with that ending, in any case; approximate, since escapes are not
// decoded.
double largest_of(std::string_view input, std::string_view key_end) {
  std::string lower(input);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  double largest = 0;
  for (std::size_t at = lower.find(key_end); at != lower.npos; at = lower.find(key_end, at + 1)) {
    const std::size_t digits = lower.find_first_of("0123456789", at);
    if (digits == lower.npos) break;
    double number = 0;
    const auto result = std::from_chars(lower.data() + digits, lower.data() + lower.size(), number);
    if (result.ec == std::errc()) largest = std::max(largest, number);
  }
  return largest;
}

}  // namespace

void queue_problems(std::string_view input) {
  // Bounds the work, which grows with the batch size and the queue and with the number of problems.
  // Speed has its own tests.
  constexpr std::size_t kMostBytes = 2000;
  constexpr double kMostStates = 65536, kMostConcurrency = 512;
  if (input.size() > kMostBytes) return;
  const double batch = largest_of(input, "maxbatchsize\""),
               queue = largest_of(input, "queuesize\"");
  for (const QueueCommand command :
       {QueueCommand::kSolve, QueueCommand::kTarget, QueueCommand::kOptimize}) {
    const double most = command == QueueCommand::kOptimize ? kMostConcurrency : kMostStates;
    if (batch + queue > most) continue;
    const QueueAnswer answer = answer_queue_problems(command, input, "input");
    render(answer.diagnostics);
    require(answer.ok() != answer.json.empty(), "an answer to a refused problem or none",
            answer.json);
    if (!answer.ok()) continue;
    require(nlohmann::json::accept(answer.json), "the answer is no JSON", answer.json);
    require(answer_queue_problems(command, input, "input").json == answer.json,
            "the same problem has two answers", answer.json);
  }
}

void command_words(std::string_view input) {
  const std::string word(input);
  const std::string shown = printable(word);
  require(printable(shown) == shown, "what is printable becomes something else", shown);
  // Within a JSON string an escape stands for the character that it replaces.
  const std::string json =
      nlohmann::json(word).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  require(nlohmann::json::parse(printable(json)) == nlohmann::json::parse(json),
          "JSON means something else once it is printable", shown);
  (void)nearest_word(word, std::array<std::string_view, 2>{"--batches", "plan"});
  if (const auto number = cli::exact_number<double>(word)) {
    require(std::isfinite(*number), "a number that is not finite is taken", shown);
    const std::string again = nlohmann::json(*number).dump();
    require(cli::exact_number<double>(again) == number, "a number reads back differently", again);
  }
  if (const auto number = cli::exact_number<std::uint64_t>(word)) {
    const std::size_t zeros = std::min(word.find_first_not_of('0'), word.size() - 1);
    require(std::to_string(*number) == word.substr(zeros), "a number was cut off", shown);
  }
  try {
    const GridRange range = cli::parse_range("--batches", word);
    require(range.first >= 0 && range.step >= 1 && (range.last == 0 || range.first <= range.last),
            "a range out of order is taken", shown);
  } catch (const cli::Exit& exit) {
    require(exit.code == cli::kBadInput && exit.message.find(word) != std::string::npos,
            "a refused range is not named", shown);
  }
  try {
    require(cli::parse_bytes("--memory", word) >= 1, "no memory at all is taken", shown);
  } catch (const cli::Exit& exit) {
    require(exit.code == cli::kBadInput && exit.message.find(word) != std::string::npos,
            "a refused size is not named", shown);
  }
}

}  // namespace tonnage::fuzz
