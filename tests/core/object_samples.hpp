// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The small system that tests of the object model start from: two accelerators, one model with data
// on both, two service classes, two servers.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tonnage/core/error.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage {

// The code of the Error that `action` throws; absent when it throws none.
template <class Action>
std::optional<ErrorCode> error_of(const Action& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.code();
  }
  return std::nullopt;
}

inline LoadSpec sample_load() { return {600, 0, 128, 512}; }

inline ServerSpec sample_server(const std::string& name = "chat") {
  ServerSpec s;
  s.name = name;
  s.class_name = "gold";
  s.model = "llm";
  s.min_num_replicas = 1;
  s.max_queue_size = 64;
  s.current_alloc.load = sample_load();
  return s;
}

inline SystemSpec sample_spec() {
  SystemSpec spec;
  spec.accelerators = {{"A", "a-card", 1, 80, 2000, {100, 400, 300, 0.6}, 300},
                       {"B", "b-card", 2, 160, 4000, {150, 800, 600, 0.5}, 500}};
  spec.capacities = {{"a-card", 100}, {"b-card", 60}};
  spec.models = {{"llm", "A", 2, 64, 512, {12, 0.05, 0.0005}, 0},
                 {"llm", "B", 1, 128, 512, {8, 0.03, 0.0003}, 0}};
  spec.service_classes = {{"Free", 100, {{"llm", 200, 8000, 0}}},
                          {"gold", 1, {{"llm", 40, 1000, 0}}}};
  spec.servers = {sample_server("chat"), sample_server("search")};
  spec.servers[1].class_name = "Free";
  spec.servers[1].current_alloc.load.arrival_rate_per_min = 90;
  return spec;
}

inline const std::vector<std::string>& sample_accelerators() {
  static const std::vector<std::string> names = {"A", "B"};
  return names;
}

// Gives tests the sample system and the allocations of its first server.
class SampleSystemTest : public ::testing::Test {
 protected:
  Allocation create(const std::string& accelerator = "A") {
    auto a = Allocation::create(system_, chat(), accelerator);
    if (!a) throw std::logic_error("no allocation on " + accelerator);
    return *a;
  }
  Server& chat() { return *system_.find_server("chat"); }
  void set_rate(double per_min) {
    LoadSpec load = chat().load();
    load.arrival_rate_per_min = per_min;
    chat().set_load(load);
  }

  System system_{sample_spec()};
};

}  // namespace tonnage
