// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The commands `queue solve`, `queue target` and `queue optimize`: their options, and the sharing
// of problems among threads. Fields of problems and answers are in io/src/results/queue_io.cpp.
#include <memory>
#include <optional>

#include "host/base/parallel.hpp"
#include "host/cli/commands/commands.hpp"
#include "host/cli/usage.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/io/queue_io.hpp"
#include "tonnage/io/spec_reader.hpp"

namespace tonnage::cli {
namespace {

constexpr std::int64_t kProblemsPerChunk = 64;

struct QueueArguments {
  std::string input, output;
};

// An unreadable file is bad input here, as in every other command.
std::string read_problems(const std::string& path) {
  try {
    return read_text(path);
  } catch (const Error& error) {
    throw Exit{kBadInput, error.what()};
  }
}

void add_problem(CLI::App& queue, const char* name, const char* description, const char* example,
                 QueueCommand kind, const Environment& environment, Run& run) {
  auto a = std::make_shared<QueueArguments>();
  CLI::App* command = queue.add_subcommand(name, description);
  command
      ->add_option("PROBLEM", a->input,
                   "A JSON file with a problem or an array of problems, or - for standard input")
      ->required()
      ->check(non_empty());
  add_output(*command, a->output);
  command->footer(std::string("The fields of problems and answers: docs/command-line.md.\n\n") +
                  "Example:\n  " + example);
  command->callback([=, &environment, &run] {
    run = [=, &environment] {
      const ProgressCallback bar = environment.progress();
      std::optional<WorkMeter> meter;
      QueueOptions options;
      options.parallel_for = [&](std::int64_t count, const auto& body) {
        meter.emplace(bar, "queues", count);
        const auto counted = [&](std::int64_t first, std::int64_t last) {
          body(first, last);
          meter->add(last - first);
        };
        const int threads = environment.num_threads;
        parallel_chunks(count, fair_chunk(count, kProblemsPerChunk, threads), threads, counted,
                        [&](std::int64_t) { meter->check(); });
        meter->finish();
      };
      options.check = [&] { meter->check(); };
      const QueueAnswer answer =
          answer_queue_problems(kind, read_problems(a->input),
                                a->input == "-" ? "standard input" : a->input, options);
      environment.check(answer.diagnostics);
      environment.write(answer.json, a->output);
      return kSuccess;
    };
  });
}

}  // namespace

void add_queue(CLI::App& app, const Environment& environment, Run& run) {
  CLI::App* queue = app.add_subcommand("queue", "Answer queue problems of a single replica");
  queue->require_subcommand(1);
  add_problem(*queue, "solve", "Latencies, throughput and drops at a rate",
              "tonnage queue solve examples/queue/solve.json", QueueCommand::kSolve, environment,
              run);
  add_problem(*queue, "target", "The largest rate within the targets, and the metrics there",
              "tonnage queue target examples/queue/target.json", QueueCommand::kTarget, environment,
              run);
  add_problem(*queue, "optimize",
              "The least concurrency whose goodput within the targets is near the peak",
              "tonnage queue optimize examples/queue/optimize.json", QueueCommand::kOptimize,
              environment, run);
  queue->footer(
      "Examples:\n"
      "  tonnage queue solve problem.json\n"
      "  echo '{\"RPS\": 3, \"maxBatchSize\": 48, \"avgInputTokens\": 128, \"avgOutputTokens\": "
      "512,\n"
      "         \"alpha\": 12, \"beta\": 0.05, \"gamma\": 0.0005, \"maxQueueSize\": 128}' | "
      "tonnage queue solve -");
}

}  // namespace tonnage::cli
