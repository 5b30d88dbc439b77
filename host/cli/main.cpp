// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The command line of tonnage: parses, runs one command, and maps failures to exit codes.
#include <fmt/format.h>

#include <new>
#include <sstream>

#include "host/cli/commands/commands.hpp"
#include "host/cli/interruption.hpp"
#include "host/cli/numbers.hpp"
#include "host/cli/usage.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/host/planner.hpp"

namespace tonnage::cli {

void add_input(CLI::App& command, std::string& path) {
  command
      .add_option("INPUT", path,
                  "The fleet: a combined JSON file, a folder of spec files, or - for standard "
                  "input")
      ->required()
      ->check(non_empty());
}

void add_output(CLI::App& command, std::string& path) {
  command
      .add_option("-o,--output", path,
                  "Write to this file, whole or not at all; -: standard output")
      ->transform([](std::string name) {
        if (name.empty()) throw CLI::ValidationError("it is empty");
        return name == "-" || name == "/dev/stdout" ? std::string() : name;
      });
}

void add_format(CLI::App& command, std::string& format, std::vector<std::string> formats) {
  command.add_option("--format", format, "Form of the output")
      ->check(one_of(std::move(formats)))
      ->capture_default_str();
}

void add_evaluation(CLI::App& command, std::string& batch, std::string& backend) {
  command
      .add_option("--batch", batch,
                  "Batch sizes considered: the ceiling alone (max) or every one (search)")
      ->check(one_of({"max", "search"}))
      ->capture_default_str();
  command.add_option("--backend", backend, "What evaluates the candidates; see backends")
      ->envname("TONNAGE_BACKEND")
      ->capture_default_str();
}

namespace {

// Every command's help names the options that it shares with all others.
void mention_global_options(CLI::App& command) {
  for (CLI::App* sub : command.get_subcommands({})) {
    const std::string footer = sub->get_footer();
    sub->footer("Also --quiet, --color, --threads and --version: see tonnage --help.\n\n" + footer);
    mention_global_options(*sub);
  }
}

int exit_code_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidInput:
    case ErrorCode::kNotFound:
      return kBadInput;
    case ErrorCode::kUnavailable:
    case ErrorCode::kIo:
      return kFailure;
  }
  return kFailure;
}

int run(int argc, char** argv) {
  Environment environment;
  Run command;
  CLI::App app(
      "tonnage plans fleets of LLM inference servers: for every server an accelerator, a "
      "batch size and a replica count, so that latency targets hold, cards suffice and "
      "the bill is least.");
  app.name("tonnage");
  app.set_version_flag("--version", "tonnage " + std::string(version()));
  app.add_flag("-q,--quiet", environment.quiet, "No warnings, notes or progress");
  app.add_option("--color", environment.color, "Colour in tables")
      ->check(one_of({"auto", "always", "never"}))
      ->capture_default_str();
  add_number(app, "--threads", environment.num_threads, 0, 1024, "Threads; 0: one per processor");
  app.require_subcommand(1);
  app.fallthrough();
  add_plan(app, environment, command);
  add_candidates(app, environment, command);
  add_pareto(app, environment, command);
  add_explain(app, environment, command);
  add_sensitivity(app, environment, command);
  add_queue(app, environment, command);
  add_verify(app, environment, command);
  add_diff(app, environment, command);
  add_validate(app, environment, command);
  add_generate(app, environment, command);
  add_backends(app, environment, command);
  add_completion(app, environment, command);
  app.footer(
      "Exit codes: 0 done; 1 failure of disk, memory or backend; 2 bad input or usage;\n"
      "3 planned but some servers unallocated or partial.\n\n"
      "Examples:\n"
      "  tonnage plan examples/fleets/small.json\n"
      "  tonnage generate --servers 100000 --accelerators 24 | tonnage plan -");
  mention_global_options(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      say(usage_error(app, error));
      return kBadInput;
    }
    std::ostringstream text;  // --help, --version
    (void)app.exit(error, text, text);
    environment.write(text.str(), "");
    return kSuccess;
  }
  try {
    return command();
  } catch (const std::bad_alloc&) {
    throw Exit{kFailure, environment.num_threads == 1
                             ? "out of memory"
                             : "out of memory; fewer threads need less: --threads N"};
  }
}

}  // namespace
}  // namespace tonnage::cli

int main(int argc, char** argv) {
  using namespace tonnage;
  cli::prepare_for_signals();
  try {
    return cli::run(argc, argv);
  } catch (const cli::Exit& exit) {
    if (!exit.message.empty()) cli::say_line("tonnage: " + exit.message);
    return exit.code;
  } catch (const Error& error) {
    cli::say_line(fmt::format("tonnage: {}", error.what()));
    return cli::exit_code_of(error);
  } catch (const std::bad_alloc&) {
    cli::say_line("tonnage: out of memory");
    return cli::kFailure;
  } catch (const std::exception& error) {
    cli::say_line(fmt::format("tonnage: {}", error.what()));
    return cli::kFailure;
  }
}
