// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The check of a GPU machine: parity with the CPU on random problems, timings, and kernels for a
// profiler. Needs only CUDA and a compiler (see CMakeLists.txt beside it). Owns: the command line
// and the exit status.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bench/gpu/groups/bench.hpp"
#include "bench/gpu/groups/bench_searches.hpp"
#include "bench/gpu/kernel_names.hpp"
#include "bench/gpu/machine.hpp"
#include "bench/gpu/parity.hpp"
#include "bench/gpu/profile.hpp"
#include "tonnage/cuda/probe.hpp"
#include "tonnage/host/backends.hpp"

namespace tonnage::check {
namespace {

constexpr int kNoGpu = 77;  // ctest: skipped
constexpr int kUsage = 2;

constexpr const char* kUsageText =
    "usage: tonnage_gpu_check parity [--only KIND] [--seed N] [--small]\n"
    "       tonnage_gpu_check list\n"
    "       tonnage_gpu_check bench FILE [--only GROUP] [--cpu-only]\n"
    "       tonnage_gpu_check profile [KERNEL | --list]\n";

struct Usage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The arguments of a command: words, switches, and switches with a value.
class Arguments {
 public:
  explicit Arguments(std::vector<std::string> words) : words_(std::move(words)) {}

  [[nodiscard]] bool take_switch(const std::string& name) {
    const auto at = std::find(words_.begin(), words_.end(), name);
    if (at == words_.end()) return false;
    words_.erase(at);
    return true;
  }
  [[nodiscard]] std::optional<std::string> take_value(const std::string& name) {
    const auto at = std::find(words_.begin(), words_.end(), name);
    if (at == words_.end()) return {};
    if (at + 1 == words_.end()) throw Usage(name + " takes a value");
    std::string value = *(at + 1);
    words_.erase(at, at + 2);
    return value;
  }
  [[nodiscard]] std::optional<std::string> take_word() {
    if (words_.empty() || words_[0].starts_with("--")) return {};
    std::string word = words_[0];
    words_.erase(words_.begin());
    return word;
  }
  void expect_end() const {
    if (!words_.empty()) throw Usage("unexpected: " + words_[0]);
  }

 private:
  std::vector<std::string> words_;
};

// A name of the list, or empty if none was given.
std::string one_of(const std::optional<std::string>& name, const std::vector<std::string>& names) {
  if (!name) return {};
  if (std::find(names.begin(), names.end(), *name) != names.end()) return *name;
  std::string all;
  for (const std::string& known : names) all += (all.empty() ? "" : ", ") + known;
  throw Usage("\"" + *name + "\" is none of " + all);
}

std::uint64_t whole_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Usage("\"" + text + "\" is no whole number");
  }
  return number;
}

// 0 with a usable GPU; else prints the reason and returns the exit status.
int status_without_gpu(const CudaProbe& probe) {
  if (probe.usable) return 0;
  std::printf("needs a GPU: %s\n", probe.reason.c_str());
  const char* required = std::getenv("TONNAGE_REQUIRE_GPU");
  return required != nullptr && std::string_view(required) == "1" ? 1 : kNoGpu;
}

int parity(Arguments arguments) {
  ParityOptions options;
  options.only = one_of(arguments.take_value("--only"), parity_kinds());
  const auto seed = arguments.take_value("--seed");
  options.seed = seed ? whole_number(*seed) : std::random_device{}();
  options.small = arguments.take_switch("--small");
  arguments.expect_end();
  if (const int status = status_without_gpu(probe_cuda())) return status;
  return run_parity(cuda::open_usable_devices, options) ? 0 : 1;
}

void describe_machine(const CudaProbe* probe, Report& report) {
  if (probe != nullptr) {
    const CudaDevice& d = probe->devices.front();
    report.add_context("gpu", quoted(d.name));
    report.add_context("gpus", std::to_string(probe->device_count));
    report.add_context("compute_capability", quoted(std::to_string(d.compute_major) + "." +
                                                    std::to_string(d.compute_minor)));
    report.add_context("sms", std::to_string(d.sm_count));
    report.add_context("memory_bytes", std::to_string(d.memory_bytes));
    report.add_context("driver_cuda", quoted(probe->driver_version));
    report.add_context("runtime_cuda", quoted(probe->runtime_version));
  }
  report.add_context("cpu_backend",
                     quoted(make_cpu_evaluator(best_instruction_set())->availability().reason));
  // Context from the caller: a list of "name": value.
  if (const char* more = std::getenv("TONNAGE_CHECK_CONTEXT"); more != nullptr && *more != '\0') {
    report.add_context("machine", std::string("{") + more + "}");
  }
}

// The times that this program prints for the command `cold`, run in a process of its own.
DeviceTimes run_cold(std::int64_t servers, const char* how) {
  std::array<char, 4096> path{};
  if (readlink("/proc/self/exe", path.data(), path.size() - 1) <= 0) {
    throw Failure("this program does not find itself");
  }
  std::string command = "'";
  for (const char c : std::string_view(path.data()))
    command += c == '\'' ? "'\\''" : std::string(1, c);
  command += "' cold " + std::to_string(servers) + " " + how;
  const auto close = [](std::FILE* pipe) { (void)pclose(pipe); };
  const std::unique_ptr<std::FILE, decltype(close)> out(popen(command.c_str(), "r"), close);
  if (!out) throw Failure("no process can be started");
  std::string text;
  std::array<char, 512> part{};
  while (std::fgets(part.data(), part.size(), out.get()) != nullptr) text += part.data();
  return read_times(text);
}

int bench(Arguments arguments) {
  const bool cpu_only = arguments.take_switch("--cpu-only");
  const std::string only = one_of(arguments.take_value("--only"), bench_groups());
  const auto path = arguments.take_word();
  arguments.expect_end();
  if (!path) throw Usage("bench takes a file");
  BenchSetup setup;
  CudaProbe probe;
  if (!cpu_only) {
    probe = probe_cuda();
    if (const int status = status_without_gpu(probe)) return status;
    setup.open = cuda::open_usable_devices;
    setup.ceilings = machine_ceilings();
    setup.cold = [](std::int64_t servers) {
      return ColdTimes{run_cold(servers, "plain").all, run_cold(servers, "observed")};
    };
  }
  Report report(*path);
  describe_machine(cpu_only ? nullptr : &probe, report);
  report.write();  // a file that cannot be written is better known now
  run_benchmarks(setup, only, report);
  return report.failures() == 0 ? 0 : 1;
}

int profile(Arguments arguments) {
  if (arguments.take_switch("--list")) {
    arguments.expect_end();
    for (const std::string& name : kernel_names()) std::printf("%s\n", name.c_str());
    return 0;
  }
  ProfileOptions options;
  options.only = one_of(arguments.take_word(), kernel_names());
  arguments.expect_end();
  if (const int status = status_without_gpu(probe_cuda())) return status;
  run_profile(cuda::open_usable_devices, options, profiler_range);
  return 0;
}

int list(Arguments arguments) {
  arguments.expect_end();
  for (const std::string& name : bench_groups()) std::printf("%s\n", name.c_str());
  return 0;
}

// Internal command of the benchmarks, see run_cold().
int cold(Arguments arguments) {
  const auto servers = arguments.take_word(), how = arguments.take_word();
  arguments.expect_end();
  if (!servers || !how) throw Usage("cold takes a number of servers, and plain or observed");
  const auto count = static_cast<std::int64_t>(whole_number(*servers));
  std::printf("%s\n", cold_search(cuda::open_usable_devices, count, *how == "observed").c_str());
  return 0;
}

int run(std::vector<std::string> words) {
  if (words.empty()) throw Usage("no command");
  const std::string command = words[0];
  words.erase(words.begin());
  Arguments arguments(std::move(words));
  if (command == "parity") return parity(std::move(arguments));
  if (command == "list") return list(std::move(arguments));
  if (command == "bench") return bench(std::move(arguments));
  if (command == "profile") return profile(std::move(arguments));
  if (command == "cold") return cold(std::move(arguments));
  throw Usage("\"" + command + "\" is no command");
}

}  // namespace
}  // namespace tonnage::check

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  try {
    return tonnage::check::run({argv + 1, argv + argc});
  } catch (const tonnage::check::Usage& error) {
    std::fprintf(stderr, "tonnage_gpu_check: %s\n%s", error.what(), tonnage::check::kUsageText);
    return tonnage::check::kUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tonnage_gpu_check: %s\n", error.what());
    return 1;
  }
}
