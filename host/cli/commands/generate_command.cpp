// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The command `generate`: its options.
#include <limits>
#include <memory>

#include "host/cli/commands/commands.hpp"
#include "host/cli/numbers.hpp"
#include "tonnage/host/generate.hpp"
#include "tonnage/io/spec_writer.hpp"

namespace tonnage::cli {

void add_generate(CLI::App& app, const Environment& environment, Run& run) {
  struct Arguments {
    GenerateOptions options;
    std::string output;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("generate", "Write a synthetic fleet with realistic figures");
  GenerateOptions& o = a->options;
  add_number(*command, "--servers", o.servers, 1, kMaxGeneratedServers, "Servers");
  add_number(*command, "--accelerators", o.accelerators, 1, kMaxGeneratedAccelerators,
             "Accelerators");
  add_number(*command, "--models", o.models, 1, kMaxGeneratedModels, "Models");
  add_number(*command, "--seed", o.seed, 0, std::numeric_limits<std::uint64_t>::max(),
             "The same seed gives the same fleet");
  add_number(*command, "--tightness", o.tightness, kMinTightness, kMaxTightness,
             "Cards of each type, as a share of what the unlimited optimum uses");
  add_output(*command, a->output);
  command->footer(
      "Examples:\n"
      "  tonnage generate --servers 1000 --accelerators 24 --seed 7 -o fleet.json\n"
      "  tonnage generate --servers 100000 --accelerators 24 --tightness 0.9 | tonnage plan -");
  command->callback([=, &environment, &run] {
    run = [=, &environment] {
      environment.write(system_to_json(generate_fleet(a->options, environment.progress())),
                        a->output);
      return kSuccess;
    };
  });
}

}  // namespace tonnage::cli
