// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Checks over the whole spec. Entries with refused (empty) names are skipped, and so are checks
// whose other section was not read.
#include "io/src/spec/spec_checks.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "io/src/results/text_rendering.hpp"

namespace tonnage {
namespace {

using Names = std::unordered_set<std::string_view>;

class SpecChecks {
 public:
  SpecChecks(const SystemSpec& spec, const SectionSources& sources, Diagnostics& diagnostics)
      : spec_(spec), sources_(sources), diagnostics_(diagnostics) {
    for (const AcceleratorSpec& entry : spec.accelerators) accelerators_.insert(entry.name);
    for (const ServiceClassSpec& entry : spec.service_classes) {
      Names& models = targets_[entry.name];
      for (const ModelTargetSpec& target : entry.model_targets) models.insert(target.model);
    }
    for (const ModelPerfSpec& entry : spec.models) {
      std::int64_t& tokens = most_batch_tokens_[entry.name];
      tokens = std::max(tokens, entry.max_batch_size * entry.at_tokens);
    }
  }

  void run() {
    if (is_read(Section::kAccelerators)) {
      check_models();
      check_capacities();
      check_power();
    }
    check_combined();
    for (std::size_t i = 0; i < spec_.service_classes.size(); ++i) {
      check_exclusions(Section::kServiceClasses, i, spec_.service_classes[i].excluded_accelerators);
    }
    for (std::size_t i = 0; i < spec_.servers.size(); ++i) {
      check_batch_ceiling(i);
      check_references(i);
    }
  }

 private:
  const SectionSource& source(Section section) const {
    return sources_[static_cast<std::size_t>(section)];
  }
  bool is_read(Section section) const { return source(section).read; }

  void add(Severity severity, Section section, std::size_t index, std::string found,
           std::string expected, std::string hint) {
    diagnostics_.add({severity, source(section).file,
                      source(section).pointer + '/' + std::to_string(index), std::move(found),
                      std::move(expected), std::move(hint)});
  }
  void warn_server(std::size_t index, std::string found, std::string expected) {
    add(Severity::kWarning, Section::kServers, index, std::move(found), std::move(expected),
        "the server will stay unallocated");
  }

  void check_models() {
    for (std::size_t i = 0; i < spec_.models.size(); ++i) {
      const std::string& acc = spec_.models[i].acc;
      if (acc.empty() || accelerators_.contains(acc)) continue;
      add(Severity::kWarning, Section::kModels, i, "acc " + quoted(acc),
          "the name of an accelerator", "the entry has no effect");
    }
  }

  void check_capacities() {
    if (spec_.optimizer.unlimited) return;
    Names types;
    for (const CapacitySpec& entry : spec_.capacities) types.insert(entry.type);
    for (std::size_t i = 0; i < spec_.accelerators.size(); ++i) {
      const std::string& type = spec_.accelerators[i].type;
      if (type.empty() || types.contains(type)) continue;
      add(Severity::kWarning, Section::kAccelerators, i,
          "type " + quoted(type) + " without a capacity", "its count of cards in capacityData",
          "capacity is limited, so no card of this type can be used");
    }
  }

  void check_power() {
    if (!spec_.optimizer.weighs_power()) return;
    for (std::size_t i = 0; i < spec_.accelerators.size(); ++i) {
      if (spec_.accelerators[i].power != PowerSpec{}) continue;
      add(Severity::kWarning, Section::kAccelerators, i, "no power figures",
          "power figures, which energyPrice and maxPower need", "its power counts as 0");
    }
  }

  // Beyond this many accelerators not every pair is combined.
  void check_combined() {
    if (!spec_.optimizer.heterogeneous) return;
    const std::int64_t most = most_combined_accelerators(std::ssize(spec_.servers));
    std::unordered_map<std::string_view, std::int64_t> accelerators;
    for (const ModelPerfSpec& entry : spec_.models) ++accelerators[entry.name];
    for (std::size_t i = 0; i < spec_.models.size(); ++i) {
      std::int64_t& count = accelerators[spec_.models[i].name];
      if (count <= most) continue;
      add(Severity::kWarning, Section::kModels, i,
          "model " + quoted(spec_.models[i].name) + " on " + std::to_string(count) +
              " accelerators and heterogeneous true",
          "at most " + std::to_string(most) + " accelerators with " +
              std::to_string(spec_.servers.size()) + " servers",
          "a server is offered combinations only of the " + std::to_string(most) +
              " of least cost per goodput");
      count = 0;  // once for a model
    }
  }

  // The batch ceiling from performance data must be within the limit too.
  void check_batch_ceiling(std::size_t index) {
    const ServerSpec& server = spec_.servers[index];
    const LoadSpec& load = server.current_alloc.load;
    if (server.max_batch_size > 0 || load.arrival_rate_per_min <= 0 || load.avg_out_tokens <= 0) {
      return;
    }
    const auto data = most_batch_tokens_.find(server.model);
    if (data == most_batch_tokens_.end()) return;
    const std::int64_t ceiling = data->second / load.avg_out_tokens;
    if (ceiling <= kMaxBatchSize) return;
    add(Severity::kError, Section::kServers, index,
        "a batch size of " + std::to_string(ceiling) +
            " (maxBatchSize * atTokens of the performance data / avgOutTokens)",
        "at most " + std::to_string(kMaxBatchSize), "a maxBatchSize of the server replaces it");
  }

  void check_references(std::size_t index) {
    const ServerSpec& server = spec_.servers[index];
    const bool has_model = !server.model.empty();
    if (is_read(Section::kModels) && has_model && !most_batch_tokens_.contains(server.model)) {
      warn_server(index, "model " + quoted(server.model),
                  "the name of a model with performance data");
    }
    if (is_read(Section::kServiceClasses)) {
      const std::string_view class_name =
          server.class_name.empty() ? kDefaultClassName : std::string_view(server.class_name);
      const auto service_class = targets_.find(class_name);
      if (service_class == targets_.end()) {
        warn_server(index, "class " + quoted(class_name), "the name of a service class");
      } else if (has_model && !service_class->second.contains(server.model)) {
        warn_server(
            index,
            "class " + quoted(class_name) + " without a target for model " + quoted(server.model),
            "an entry for the model in the class's modelTargets");
      }
    }
    check_exclusions(Section::kServers, index, server.excluded_accelerators);
    for (const AllocationPart& part : server.current_alloc.parts) {
      if (!is_read(Section::kAccelerators) || accelerators_.contains(part.accelerator)) continue;
      add(Severity::kWarning, Section::kServers, index,
          "currentAlloc with a part on accelerator " + quoted(part.accelerator),
          "the name of an accelerator", "it counts for the transition penalty only");
    }
    const std::string& current = server.current_alloc.accelerator;
    const bool one_name = !current.empty() && server.current_alloc.parts.empty();
    if (is_read(Section::kAccelerators) && one_name && !accelerators_.contains(current)) {
      add(Severity::kWarning, Section::kServers, index,
          "currentAlloc on accelerator " + quoted(current), "the name of an accelerator",
          server.keep_accelerator ? "keepAccelerator leaves the server no choice: it will stay "
                                    "unallocated"
                                  : "it counts for the transition penalty only");
    }
  }

  void check_exclusions(Section section, std::size_t index, const std::vector<std::string>& names) {
    if (!is_read(Section::kAccelerators)) return;
    for (const std::string& name : names) {
      if (accelerators_.contains(name)) continue;
      add(Severity::kWarning, section, index, "excludedAccelerators with " + quoted(name),
          "names of accelerators", "it has no effect");
    }
  }

  const SystemSpec& spec_;
  const SectionSources& sources_;
  Diagnostics& diagnostics_;
  Names accelerators_;
  std::unordered_map<std::string_view, Names> targets_;  // models that each class has targets for
  // The largest maxBatchSize * atTokens of each model.
  std::unordered_map<std::string_view, std::int64_t> most_batch_tokens_;
};

}  // namespace

void check_spec(const SystemSpec& spec, const SectionSources& sources, Diagnostics& diagnostics) {
  SpecChecks(spec, sources, diagnostics).run();
}

}  // namespace tonnage
