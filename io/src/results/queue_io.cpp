// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Reads queue problems from text and writes their answers.
#include "tonnage/io/queue_io.hpp"

#include <iterator>
#include <vector>

#include "io/src/json/json_writer.hpp"
#include "io/src/results/text_rendering.hpp"
#include "io/src/spec/fields.hpp"
#include "tonnage/core/queue_analyzer.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {
namespace {

constexpr double kMaxRps = kMaxArrivalRatePerMin / 60.0;
// Upper bound on iteration times (30 years); longer ones would overflow.
constexpr double kMaxParameterMs = 1e12;

struct QueueProblem {
  double rate_per_ms = 0;
  QueueShape shape{};
  QueueTargets targets;
  std::string reason;  // why it has no answer in numbers; mostly empty
};

// The answer to a problem, or the reason why there is none.
struct Answered {
  QueueAnalysis analysis;
  QueueSizing sizing;  // of concurrency 1 where optimize finds nothing feasible
  QueueOptimum optimum;
};

// A required number from `least` (more than it when `exclusive`) to `most`.
double bounded_number(Fields& fields, std::string_view key, double least, bool exclusive,
                      double most) {
  std::string expected = exclusive ? "a number greater than " : "a number from ";
  expected += number_text(least) + (exclusive ? " and at most " : " to ") + number_text(most);
  const auto value = fields.any(key);
  if (!value) {
    fields.report().error(fields.value().pointer(), "no key \"" + std::string(key) + "\"",
                          expected + " under \"" + std::string(key) + "\"");
    return 0;
  }
  if (value->kind() == JsonKind::kInteger || value->kind() == JsonKind::kNumber) {
    const double number = value->number();
    if ((exclusive ? number > least : number >= least) && number <= most) return number;
  }
  fields.report().error(value->pointer(), value->rendering(), expected);
  return 0;
}

QueueProblem read_problem(const JsonValue& object, QueueCommand command, Report& report) {
  QueueProblem problem;
  Fields fields(object, report);
  if (!fields.is_object()) return problem;
  ServiceParams& service = problem.shape.service;
  const double max_tokens = static_cast<double>(kMaxCount);
  if (command == QueueCommand::kSolve) {
    problem.rate_per_ms = bounded_number(fields, "RPS", 0, true, kMaxRps) / kMsPerSecond;
  } else {
    (void)fields.number("RPS", {.max = kMaxRps});  // of no consequence
  }
  problem.shape.max_batch = fields.integer("maxBatchSize", {kMaxBatchSize, 1, Presence::kRequired});
  service.in_tokens =
      fields.number("avgInputTokens", {.max = max_tokens, .presence = Presence::kRequired});
  service.out_tokens = bounded_number(fields, "avgOutputTokens", 1, false, max_tokens);
  service.alpha_ms =
      fields.number("alpha", {.max = kMaxParameterMs, .presence = Presence::kRequired});
  service.beta_ms =
      fields.number("beta", {.max = kMaxParameterMs, .presence = Presence::kRequired});
  service.gamma_ms =
      fields.number("gamma", {.max = kMaxParameterMs, .presence = Presence::kRequired});
  problem.shape.max_queue = fields.integer("maxQueueSize", {kMaxQueueSize});
  problem.targets.latency.ttft_ms = fields.number("targetTTFT");
  problem.targets.latency.itl_ms = fields.number("targetITL");
  const std::int64_t budget = fields.integer("maxNumTokens", {kMaxCount});
  service.token_budget = static_cast<double>(budget > 0 ? budget : kDefaultMaxNumTokens);
  fields.finish();
  return problem;
}

void write_analysis(JsonWriter& json, const QueueAnalysis& a) {
  json.value("offeredRPS", a.offered_rate_per_ms * kMsPerSecond);
  json.value("throughput", a.metrics.throughput_per_ms * kMsPerSecond);
  json.value("avgRespTime", a.metrics.wait_ms + a.metrics.service_ms);
  json.value("avgWaitTime", a.metrics.wait_ms);
  json.value("avgNumInServ", a.metrics.in_service);
  json.value("avgTTFT", a.metrics.ttft_ms);
  json.value("avgITL", a.metrics.itl_ms);
  json.value("maxRPS", a.max_rate_per_ms * kMsPerSecond);
  json.value("dropProbability", a.metrics.drop_probability);
  json.value("ttftP50", a.ttft_p50_ms);
  json.value("ttftP90", a.ttft_p90_ms);
  json.value("ttftP95", a.ttft_p95_ms);
  json.value("ttftP99", a.ttft_p99_ms);
}

// Which targets are infeasible, with the best achievable values.
std::string infeasible_reason(const QueueSizing& sizing, const LatencyTargets& targets) {
  if (sizing.best_itl_ms == 0 && sizing.best_ttft_ms == 0) return "no arrival rate is sustainable";
  const auto clause = [](const char* name, double best, double target) {
    return std::string(name) + " is at best " + number_text(best) + " ms, target " +
           number_text(target) + " ms";
  };
  std::string reason;
  if (!sizing.itl_feasible) reason = clause("ITL", sizing.best_itl_ms, targets.itl_ms);
  if (!sizing.ttft_feasible) {
    if (!reason.empty()) reason += "; ";
    reason += clause("TTFT", sizing.best_ttft_ms, targets.ttft_ms);
  }
  return reason;
}

void write_sizing(JsonWriter& json, const QueueProblem& problem, const QueueSizing& sizing) {
  json.value("feasible", sizing.feasible);
  if (!sizing.feasible) {
    json.value("throughput", std::int64_t{0});
    json.value("reason", infeasible_reason(sizing, problem.targets.latency));
    return;
  }
  write_analysis(json, sizing.achieved);
  json.value("RPSTargetTTFT", sizing.rate_for_ttft_per_ms * kMsPerSecond);
  json.value("RPSTargetITL", sizing.rate_for_itl_per_ms * kMsPerSecond);
}

void write_optimum(JsonWriter& json, const QueueProblem& problem, const Answered& answered) {
  const QueueOptimum& optimum = answered.optimum;
  json.value("feasible", optimum.feasible);
  json.value("concurrency", optimum.concurrency);
  if (optimum.feasible) {
    write_analysis(json, optimum.achieved);
  } else {
    json.value("throughput", std::int64_t{0});
    json.value("reason", "at concurrency 1, " +
                             infeasible_reason(answered.sizing, problem.targets.latency));
  }
  json.value("M_ITL", optimum.max_batch_for_itl);
  json.value("M_TPF", optimum.max_batch_for_ttft);
}

Answered answer_problem(QueueCommand command, const QueueProblem& problem,
                        const std::function<void()>& check) {
  Answered a;
  if (!problem.reason.empty()) return a;
  switch (command) {
    case QueueCommand::kSolve:
      a.analysis = analyze_queue(problem.shape, problem.rate_per_ms);
      break;
    case QueueCommand::kTarget:
      a.sizing = size_queue(problem.shape, problem.targets);
      break;
    case QueueCommand::kOptimize:
      a.optimum = optimize_concurrency(problem.shape, problem.targets, check);
      if (!a.optimum.feasible) {
        QueueShape least = problem.shape;
        least.max_batch = 1;
        a.sizing = size_queue(least, problem.targets);
      }
      break;
  }
  return a;
}

void write_answer(JsonWriter& json, QueueCommand command, const QueueProblem& problem,
                  const Answered& answered) {
  json.begin_object();
  if (!problem.reason.empty()) {
    if (command != QueueCommand::kSolve) {
      json.value("feasible", false);
      json.value("throughput", std::int64_t{0});
    }
    json.value("reason", problem.reason);
  } else if (command == QueueCommand::kSolve) {
    write_analysis(json, answered.analysis);
  } else if (command == QueueCommand::kTarget) {
    write_sizing(json, problem, answered.sizing);
  } else {
    write_optimum(json, problem, answered);
  }
  json.end();
}

// Why the rates of a valid problem leave the range of a double; mostly empty.
std::string out_of_range(const QueueProblem& problem, QueueCommand command) {
  const ServiceParams& p = problem.shape.service;
  if (!has_service_time(p.alpha_ms, p.beta_ms, p.gamma_ms)) {
    return "alpha, beta and gamma are all below " + number_text(kLeastParameterMs) + " ms";
  }
  if (command == QueueCommand::kSolve && problem.rate_per_ms < kLeastRatePerMs) {
    return "RPS is below " + number_text(kLeastRatePerMs * kMsPerSecond);
  }
  return {};
}

}  // namespace

QueueAnswer answer_queue_problems(QueueCommand command, std::string_view text,
                                  const std::string& name, const QueueOptions& options) {
  QueueAnswer answer;
  const auto tree = parse_document(text, name, answer.diagnostics);
  if (!tree) return answer;
  Report report(answer.diagnostics, name);
  const JsonValue root = tree->root();
  const bool is_array = root.kind() == JsonKind::kArray;
  std::vector<QueueProblem> problems;
  const auto read = [&](const JsonValue& value) {
    const std::size_t errors = answer.diagnostics.num_errors();
    problems.push_back(read_problem(value, command, report));
    if (answer.diagnostics.num_errors() != errors) return;
    const ServiceParams& p = problems.back().shape.service;
    if (p.alpha_ms == 0 && p.beta_ms == 0 && p.gamma_ms == 0) {
      report.error(value.pointer(), "alpha, beta and gamma of 0", "at least one greater than 0");
      return;
    }
    problems.back().reason = out_of_range(problems.back(), command);
    if (!problems.back().reason.empty()) {
      report.warning(value.pointer(), problems.back().reason, "rates within the range of a double",
                     "this problem is not answered");
    }
  };
  if (is_array) {
    root.for_each_child(read);
  } else if (root.kind() == JsonKind::kObject) {
    read(root);
  } else {
    report.error({}, root.rendering(), "an object or an array of objects");
  }
  if (answer.diagnostics.has_errors()) return answer;

  std::vector<Answered> answered(problems.size());
  const auto answer_some = [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      answered[i] = answer_problem(command, problems[i], options.check);
    }
  };
  const auto count = std::ssize(problems);
  options.parallel_for ? options.parallel_for(count, answer_some) : answer_some(0, count);

  JsonWriter json(JsonWriter::Unwritable::kReplace);
  if (is_array) json.begin_array();
  for (std::size_t i = 0; i < problems.size(); ++i) {
    write_answer(json, command, problems[i], answered[i]);
  }
  if (is_array) json.end();
  answer.json = json.take();
  return answer;
}

}  // namespace tonnage
