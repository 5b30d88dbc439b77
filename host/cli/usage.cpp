// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Finds the word of a wrong command line that caused the error, and suggests the one that was
// probably meant.
#include "host/cli/usage.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/cli/environment.hpp"
#include "tonnage/core/printable.hpp"
#include "tonnage/io/near_miss.hpp"

namespace tonnage::cli {
namespace {

// Commands and options that are valid while `command` and its parents are parsed.
std::vector<std::string> known_words(const CLI::App* command) {
  std::vector<std::string> names;
  for (const CLI::App* app = command; app != nullptr; app = app->get_parent()) {
    for (const CLI::App* sub : app->get_subcommands({})) names.push_back(sub->get_name());
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

// The first unparsed word. Options come first, because their values may only seem unknown.
std::string first_unknown(const CLI::App* command) {
  std::vector<std::string> unknown;
  for (const CLI::App* app = command; app != nullptr; app = app->get_parent()) {
    const std::vector<std::string> words = app->remaining();
    unknown.insert(unknown.end(), words.begin(), words.end());
  }
  const auto is_option = [](const std::string& w) { return w.size() > 1 && w.front() == '-'; };
  const auto option = std::find_if(unknown.begin(), unknown.end(), is_option);
  if (option != unknown.end()) return option->substr(0, option->find('='));
  return unknown.empty() ? "" : unknown.front();
}

// ": did you mean ...?", or empty if no known word is near.
std::string suggestion(const std::string& word, const std::vector<std::string>& names) {
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::string_view near = nearest_word(word, known);
  return near.empty() ? "" : fmt::format(": did you mean \"{}\"?", near);
}

std::string unknown_word(const CLI::App* command, const std::string& word) {
  const bool is_option = word.front() == '-';
  const bool expects_command = !command->get_subcommands({}).empty();
  if (!is_option && !expects_command) return fmt::format("unexpected argument \"{}\"", word);
  return fmt::format("unknown {} \"{}\"{}", is_option ? "option" : "command", word,
                     suggestion(word, known_words(command)));
}

}  // namespace

std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* command = &app;
  std::string path = app.get_name();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    path += " " + command->get_name();
  }
  std::string what = error.what();
  // An unparsed word explains why another one is missing.
  const bool about_words = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr ||
                           dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  const std::string unknown = about_words ? first_unknown(command) : "";
  if (!unknown.empty()) {
    what = unknown_word(command, unknown);
  } else if (about_words && !command->get_subcommands({}).empty()) {
    return app.help();  // of `command`, which lists the commands that may follow
  } else if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    // Every option takes one value.
    const bool missing = what.ends_with("missing");
    what = what.substr(0, what.find(": ")) +
           (missing ? ": its value is missing" : ": given more than once");
  }
  return fmt::format("tonnage: {}\nRun \"{} --help\" for its usage.\n", printable(what), path);
}

CLI::Validator one_of(std::vector<std::string> words) {
  const std::string set = fmt::format("{{{}}}", fmt::join(words, ","));
  return CLI::Validator(
      [words = std::move(words), set](const std::string& word) {
        if (std::find(words.begin(), words.end(), word) != words.end()) return std::string();
        return fmt::format("\"{}\" is none of {}{}", word, set, suggestion(word, words));
      },
      set);
}

CLI::Validator non_empty() {
  return CLI::Validator(
      [](const std::string& word) { return std::string(word.empty() ? "it is empty" : ""); }, "");
}

void refuse_name(const std::string& name, const char* kind,
                 const std::vector<std::string_view>& known) {
  const std::string_view near = nearest_word(name, known);
  throw Exit{kBadInput,
             fmt::format("{} \"{}\" is not in the fleet{}", kind, name,
                         near.empty() ? "" : fmt::format(": did you mean \"{}\"?", near))};
}

}  // namespace tonnage::cli
