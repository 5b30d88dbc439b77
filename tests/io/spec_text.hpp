// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Small specs as text for the tests of the reader, and ways to look at what it reports.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tonnage/io/spec_reader.hpp"

namespace tonnage::test {

// A combined file that uses every field once and reads without a single diagnostic.
inline const std::string kFullSpec = R"({"system": {
  "acceleratorData": {"accelerators": [
    {"name": "G1", "type": "G", "multiplicity": 2, "memSize": 80, "memBW": 2000.5,
     "power": {"idle": 50, "full": 350, "midPower": 250, "midUtil": 0.5}, "cost": 40.25}]},
  "capacityData": {"count": [{"type": "G", "count": 16}]},
  "modelData": {"models": [
    {"name": "m1", "acc": "G1", "accCount": 1, "maxBatchSize": 32, "atTokens": 512,
     "perfParms": {"alpha": 8.5, "beta": 0.25, "gamma": 0.0005}, "maxNumTokens": 4096}]},
  "serviceClassData": {"serviceClasses": [
    {"name": "Premium", "priority": 1,
     "modelTargets": [{"model": "m1", "slo-itl": 24, "slo-ttft": 500, "slo-tps": 0}]}]},
  "serverData": {"servers": [
    {"name": "s1", "class": "Premium", "model": "m1", "keepAccelerator": true,
     "minNumReplicas": 1, "maxNumReplicas": 9, "maxBatchSize": 16, "maxQueueSize": 160,
     "maxNumTokens": 2048,
     "currentAlloc": {"accelerator": "G1", "numReplicas": 3, "maxBatch": 16, "cost": 120.75,
       "itlAverage": 20.5, "ttftAverage": 300.25,
       "load": {"arrivalRate": 60.5, "throughput": 1, "avgInTokens": 128, "avgOutTokens": 512}},
     "desiredAlloc": {"accelerator": "G1"}}]},
  "optimizerData": {"optimizer": {"unlimited": false, "heterogeneous": false, "milpSolver": false,
    "useCplex": false, "delayedBestEffort": true, "saturationPolicy": "PriorityRoundRobin"}}
}})";

// `text` with its first `from` replaced.
inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  if (at == text.npos) {
    ADD_FAILURE() << "not in the text: " << from;
    return text;
  }
  return text.replace(at, from.size(), to);
}

inline std::vector<Diagnostic> of_severity(const Diagnostics& diagnostics, Severity severity) {
  std::vector<Diagnostic> chosen;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity == severity) chosen.push_back(diagnostic);
  }
  return chosen;
}

inline std::vector<Diagnostic> errors_of(std::string_view text) {
  return of_severity(read_system_from_string(text, "test.json").diagnostics, Severity::kError);
}

inline std::vector<Diagnostic> warnings_of(std::string_view text) {
  return of_severity(read_system_from_string(text, "test.json").diagnostics, Severity::kWarning);
}

}  // namespace tonnage::test
