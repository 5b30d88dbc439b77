// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Concurrent reads of one unchanged System, and concurrent work on separate ones.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "object_samples.hpp"

namespace tonnage {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 20;

// The state of a system as one reader sees it.
struct Reading {
  SystemSpec spec;
  std::map<std::string, AllocationSpec> solution;
  std::map<std::string, AllocationByType> totals;
  std::string text;
  std::vector<Allocation> created;

  friend bool operator==(const Reading&, const Reading&) = default;
};

Reading read(const System& system) {
  Reading r{
      system.spec(), system.generate_solution(), system.allocate_by_type(), system.to_string(), {}};
  for (const auto& [name, server] : system.servers()) {
    for (const auto& [accelerator, unused] : system.accelerators()) {
      r.created.push_back(Allocation::create(system, server, accelerator).value());
    }
    r.created.push_back(Allocation::reallocate(system, server).value().first);
  }
  return r;
}

System allocated(const SystemSpec& spec) {
  System system(spec);
  system.calculate();
  for (const ServerSpec& s : spec.servers) {
    Server& server = *system.find_server(s.name);
    server.set_allocation(server.allocations().begin()->second);
  }
  return system;
}

TEST(ApiSystemThreads, SeveralThreadsReadOneSystem) {
  const System system = allocated(sample_spec());
  const Reading want = read(system);
  std::array<int, kThreads> different{};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) different[t] += read(system) == want ? 0 : 1;
    });
  }
  for (std::thread& t : threads) t.join();
  for (const int d : different) EXPECT_EQ(d, 0);
}

TEST(ApiSystemThreads, EachThreadChangesASystemOfItsOwn) {
  std::array<Reading, kThreads> got;
  std::vector<std::thread> threads;
  const auto spec_of = [](int t) {
    SystemSpec spec = sample_spec();
    spec.servers[0].current_alloc.load.arrival_rate_per_min *= t + 1;
    return spec;
  };
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) got[t] = read(allocated(spec_of(t)));
    });
  }
  for (std::thread& t : threads) t.join();
  for (int t = 0; t < kThreads; ++t) EXPECT_EQ(got[t], read(allocated(spec_of(t)))) << t;
}

}  // namespace
}  // namespace tonnage
