#include <memory>

#include "commands.hpp"
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
  command->add_option("--servers", a->options.servers, "Servers")->capture_default_str();
  command->add_option("--accelerators", a->options.accelerators, "Accelerators")
      ->capture_default_str();
  command->add_option("--models", a->options.models, "Models")->capture_default_str();
  command->add_option("--seed", a->options.seed, "The same seed gives the same fleet")
      ->check([](const std::string& seed) {
        return std::string(seed.starts_with('-') ? "the seed must not be negative" : "");
      })
      ->capture_default_str();
  command
      ->add_option("--tightness", a->options.tightness,
                   "Cards of each type, as a share of what the unlimited optimum uses")
      ->capture_default_str();
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
