// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The subcommands. Each adds itself to the parser and leaves what to run in `run`.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "host/cli/environment.hpp"

namespace tonnage::cli {

using Run = std::function<ExitCode()>;

void add_plan(CLI::App& app, const Environment& environment, Run& run);
void add_candidates(CLI::App& app, const Environment& environment, Run& run);
void add_pareto(CLI::App& app, const Environment& environment, Run& run);
void add_explain(CLI::App& app, const Environment& environment, Run& run);
void add_sensitivity(CLI::App& app, const Environment& environment, Run& run);
void add_queue(CLI::App& app, const Environment& environment, Run& run);
void add_verify(CLI::App& app, const Environment& environment, Run& run);
void add_diff(CLI::App& app, const Environment& environment, Run& run);
void add_validate(CLI::App& app, const Environment& environment, Run& run);
void add_generate(CLI::App& app, const Environment& environment, Run& run);
void add_backends(CLI::App& app, const Environment& environment, Run& run);
void add_completion(CLI::App& app, const Environment& environment, Run& run);

// Options that several commands share.
void add_input(CLI::App& command, std::string& path);
void add_output(CLI::App& command, std::string& path);
void add_format(CLI::App& command, std::string& format, std::vector<std::string> formats);
void add_evaluation(CLI::App& command, std::string& batch, std::string& backend);

}  // namespace tonnage::cli
