// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The command `completion`: scripts for bash, zsh and fish. They are generated from the parser, so
// they cannot fall behind it.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "host/cli/commands/commands.hpp"
#include "host/cli/usage.hpp"

namespace tonnage::cli {
namespace {

struct Word {
  std::string name;                 // "--solver"; empty: the argument of a command
  std::vector<std::string> values;  // that may follow it; empty: anything
};

// One command with the words that may follow it.
struct Node {
  std::string path;  // "tonnage queue solve"
  std::vector<std::string> commands;
  std::vector<Word> options;
  std::vector<std::string> arguments;  // values of its arguments where they are known
};

// The set of values that the parser shows as "TEXT:{table,json}".
std::vector<std::string> values_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{');
  const std::size_t close = type.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  return CLI::detail::split(type.substr(open + 1, close - open - 1), ',');
}

void collect(const CLI::App& app, const std::string& path, std::vector<Word> inherited,
             std::vector<Node>& nodes) {
  Node node{path, {}, {}, {}};
  for (const CLI::App* sub : app.get_subcommands({})) node.commands.push_back(sub->get_name());
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) node.arguments = values_of(*option);
    for (const std::string& name : option->get_lnames()) {
      node.options.push_back({"--" + name, values_of(*option)});
      // Every command has its own --help; --version belongs to no command.
      if (name != "help" && name != "version") inherited.push_back(node.options.back());
    }
  }
  if (app.get_parent() != nullptr) {
    for (const Word& word : inherited) {
      const auto same = [&](const Word& w) { return w.name == word.name; };
      if (std::none_of(node.options.begin(), node.options.end(), same)) {
        node.options.push_back(word);
      }
    }
  }
  nodes.push_back(std::move(node));
  for (const CLI::App* sub : app.get_subcommands({})) {
    collect(*sub, path + " " + sub->get_name(), inherited, nodes);
  }
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::string joined(const std::vector<Word>& words) {
  std::vector<std::string> names;
  for (const Word& word : words) names.push_back(word.name);
  return joined(names);
}

// The words so far select the longest matching command path, which decides what may follow. Options
// are offered after a dash. Where nothing is offered, the shell offers files.
std::string bash(const std::vector<Node>& nodes) {
  std::string paths, words, values;
  for (const Node& n : nodes) {
    if (n.path != "tonnage") paths += (paths.empty() ? "\"" : "|\"") + n.path + "\"";
    words += fmt::format("    \"{}\") words=\"{}\" options=\"{}\";;\n", n.path,
                         joined(n.commands.empty() ? n.arguments : n.commands), joined(n.options));
    for (const Word& option : n.options) {
      if (option.values.empty()) continue;
      values += fmt::format("    \"{} {}\") words=\"{}\";;\n", n.path, option.name,
                            joined(option.values));
    }
  }
  return "_tonnage() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local path=tonnage word words options\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case \"$path $word\" in\n"
         "      " +
         paths +
         ") path=\"$path $word\";;\n"
         "    esac\n"
         "  done\n"
         "  case \"$path\" in\n" +
         words +
         "  esac\n"
         "  [[ $cur == -* ]] && words=$options\n"
         "  case \"$path $prev\" in\n" +
         values +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "}\n"
         "complete -o bashdefault -o default -F _tonnage tonnage\n";
}

std::string zsh(const std::vector<Node>& nodes) {
  return "#compdef tonnage\n"
         "(( $+functions[compdef] )) || { autoload -U +X compinit && compinit }\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash(nodes);
}

// A condition holds if every word of the path has been typed and no command below it.
std::string fish(const std::vector<Node>& nodes) {
  std::string text;
  for (const Node& n : nodes) {
    std::string condition;
    for (const std::string& word : CLI::detail::split(n.path, ' ')) {
      if (word == "tonnage") continue;
      condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
    }
    if (condition.empty()) {
      condition = "__fish_use_subcommand";
    } else if (!n.commands.empty()) {
      condition += "; and not __fish_seen_subcommand_from " + joined(n.commands);
    }
    const std::vector<std::string>& words = n.commands.empty() ? n.arguments : n.commands;
    for (const std::string& word : words) {
      text += fmt::format("complete -c tonnage -f -n '{}' -a {}\n", condition, word);
    }
    for (const Word& option : n.options) {
      text += fmt::format(
          "complete -c tonnage -n '{}' -l {}{}\n", condition, option.name.substr(2),
          option.values.empty() ? "" : fmt::format(" -x -a '{}'", joined(option.values)));
    }
  }
  return text;
}

}  // namespace

void add_completion(CLI::App& app, const Environment& environment, Run& run) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Print a completion script for a shell");
  command->add_option("SHELL", *shell, "The shell to complete in")
      ->required()
      ->check(one_of({"bash", "zsh", "fish"}));
  command->footer(
      "Examples:\n"
      "  source <(tonnage completion bash)\n"
      "  tonnage completion fish > ~/.config/fish/completions/tonnage.fish");
  command->callback([=, &app, &environment, &run] {
    run = [=, &app, &environment] {
      std::vector<Node> nodes;
      collect(app, "tonnage", {}, nodes);
      const std::string text =
          *shell == "bash" ? bash(nodes) : (*shell == "zsh" ? zsh(nodes) : fish(nodes));
      environment.write(text, "");
      return kSuccess;
    };
  });
}

}  // namespace tonnage::cli
