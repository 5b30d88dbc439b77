#include "numbers.hpp"

#include <fmt/format.h>

namespace tonnage::cli {
namespace {

template <class Number>
CLI::Option* add(CLI::App& command, const std::string& name, Number& target, Number least,
                 Number most, const std::string& description) {
  const char* kind = std::integral<Number> ? "whole number" : "number";
  const std::string range = fmt::format("{} to {}", least, most);
  return command
      .add_option(
          name,
          [=, &target](const CLI::results_t& words) {
            const auto number = exact_number<Number>(words.front());
            if (!number || *number < least || *number > most) {
              throw CLI::ValidationError(
                  name, fmt::format("found \"{}\", expected a {} from {}", words.front(), kind,
                                    range));
            }
            target = *number == 0 ? Number{0} : *number;  // no -0
            return true;
          },
          description)
      ->type_name(fmt::format("NUMBER:{}..{}", least, most))
      ->default_str(fmt::format("{}", target));
}

}  // namespace

CLI::Option* add_number(CLI::App& command, const std::string& name, int& target, int least,
                        int most, const std::string& description) {
  return add(command, name, target, least, most, description);
}

CLI::Option* add_number(CLI::App& command, const std::string& name, std::int64_t& target,
                        std::int64_t least, std::int64_t most, const std::string& description) {
  return add(command, name, target, least, most, description);
}

CLI::Option* add_number(CLI::App& command, const std::string& name, std::uint64_t& target,
                        std::uint64_t least, std::uint64_t most, const std::string& description) {
  return add(command, name, target, least, most, description);
}

CLI::Option* add_number(CLI::App& command, const std::string& name, double& target, double least,
                        double most, const std::string& description) {
  return add(command, name, target, least, most, description);
}

}  // namespace tonnage::cli
