// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Plans, candidates and plan differences as files. Owns: their layout, and the reading of plans,
// whoever wrote them. Numbers read back as the same value; a number that is not finite is written
// as null; each byte that is not UTF-8 becomes U+FFFD.
//
// Example:
//   #include "tonnage/core/system.hpp"
//   #include "tonnage/host/planner.hpp"
//   const tonnage::System system;
//   const tonnage::Plan plan = tonnage::make_plan(system, tonnage::OptimizerSpec());
//   const std::string text = tonnage::plan_to_json(plan);
//   const tonnage::PlanReadResult read = tonnage::read_plan_from_string(text, "plan");
//   if (!read.ok()) std::fputs(read.diagnostics.to_text().c_str(), stderr);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tonnage/core/plan.hpp"
#include "tonnage/core/plan_claims.hpp"
#include "tonnage/io/diagnostics.hpp"

namespace tonnage {

// JSON of a plan: {"allocations": {server: allocation}, "unallocated": [{server, reason}],
// "summary": {...}}. Equal plans give equal bytes; `with_timing` adds summary.timing, which differs
// from run to run.
[[nodiscard]] std::string plan_to_json(const Plan& plan, bool with_timing = false);

// JSON array of candidates. Infeasible ones carry only names and the reason.
[[nodiscard]] std::string candidates_to_json(const std::vector<Candidate>& candidates);
// The same fields as comma-separated values (RFC 4180) with a header row.
[[nodiscard]] std::string candidates_to_csv(const std::vector<Candidate>& candidates);

// JSON array of changes.
[[nodiscard]] std::string diff_to_json(const std::vector<PlanChange>& changes);

// JSON array of {server (null for the plan as a whole), kind, message}.
[[nodiscard]] std::string violations_to_json(const std::vector<Violation>& violations);

struct PlanReadResult {
  PlanClaims claims;  // meaningful only when there are no errors
  Diagnostics diagnostics;

  [[nodiscard]] bool ok() const noexcept { return !diagnostics.has_errors(); }
};

// Reads a plan file, or standard input where `path` is "-". Only `allocations` is required; keys
// match whatever their case and unknown ones are ignored.
[[nodiscard]] PlanReadResult read_plan(const std::string& path);
// Reads the text of a plan; `name` is what diagnostics call it.
[[nodiscard]] PlanReadResult read_plan_from_string(std::string_view text, const std::string& name);

}  // namespace tonnage
