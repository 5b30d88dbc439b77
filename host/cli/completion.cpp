// Shell completion, written from the parser itself so that it cannot fall behind.
#include <fmt/format.h>

#include <memory>

#include "commands.hpp"

namespace tonnage::cli {
namespace {

// One command with the words that may follow it.
struct Node {
  std::string path;  // "tonnage queue solve"
  std::vector<std::string> commands;
  std::vector<std::string> options;
};

void collect(const CLI::App& app, const std::string& path, std::vector<Node>& nodes) {
  Node node{path, {}, {}};
  for (const CLI::App* sub : app.get_subcommands({})) node.commands.push_back(sub->get_name());
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) node.options.push_back("--" + name);
  }
  if (app.get_parent() != nullptr) {
    for (const char* global : {"--quiet", "--color", "--threads"}) node.options.emplace_back(global);
  }
  nodes.push_back(std::move(node));
  for (const CLI::App* sub : app.get_subcommands({})) {
    collect(*sub, path + " " + sub->get_name(), nodes);
  }
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

// The longest command path that the words so far spell out decides what may follow. Options are
// offered once a dash is typed; where nothing is, the shell offers files.
std::string bash(const std::vector<Node>& nodes) {
  std::string text =
      "_tonnage() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} path=tonnage word commands options\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$path $word\" in\n      ";
  std::vector<std::string> paths;
  for (const Node& n : nodes) {
    if (n.path != "tonnage") paths.push_back("\"" + n.path + "\"");
  }
  text += fmt::format("{}) path=\"$path $word\";;\n", fmt::join(paths, "|"));
  text +=
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n";
  for (const Node& n : nodes) {
    text += fmt::format("    \"{}\") commands=\"{}\" options=\"{}\";;\n", n.path,
                        joined(n.commands), joined(n.options));
  }
  text +=
      "  esac\n"
      "  [[ $cur == -* ]] && commands=$options\n"
      "  COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\"))\n"
      "}\n"
      "complete -o bashdefault -o default -F _tonnage tonnage\n";
  return text;
}

std::string zsh(const std::vector<Node>& nodes) {
  return "#compdef tonnage\nautoload -U +X bashcompinit && bashcompinit\n" + bash(nodes);
}

std::string fish(const std::vector<Node>& nodes) {
  std::string text;
  for (const Node& n : nodes) {
    const std::string sub = n.path == "tonnage" ? "" : n.path.substr(8);
    const std::size_t space = sub.rfind(' ');
    const std::string last = space == std::string::npos ? sub : sub.substr(space + 1);
    const std::string condition =
        sub.empty() ? "__fish_use_subcommand" : "__fish_seen_subcommand_from " + last;
    for (const std::string& command : n.commands) {
      text += fmt::format("complete -c tonnage -n '{}' -a {}\n", condition, command);
    }
    for (const std::string& option : n.options) {
      text += fmt::format("complete -c tonnage -n '{}' -l {}\n", condition, option.substr(2));
    }
  }
  return text;
}

}  // namespace

void add_completion(CLI::App& app, const Environment& environment, Run& run) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Print a completion script for a shell");
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer("Example:\n  source <(tonnage completion bash)");
  command->callback([=, &app, &environment, &run] {
    run = [=, &app, &environment] {
      std::vector<Node> nodes;
      collect(app, "tonnage", nodes);
      const std::string text =
          *shell == "bash" ? bash(nodes) : (*shell == "zsh" ? zsh(nodes) : fish(nodes));
      environment.write(text, "");
      return kSuccess;
    };
  });
}

}  // namespace tonnage::cli
