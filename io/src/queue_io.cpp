// Queue problems from text, their answers to text.
#include "tonnage/io/queue_io.hpp"

#include <vector>

#include "fields.hpp"
#include "json_writer.hpp"
#include "text_rendering.hpp"
#include "tonnage/core/queue_analyzer.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {
namespace {

constexpr double kMsPerSecond = 1000.0;
constexpr double kMaxRps = kMaxArrivalRatePerMin / 60.0;
// Iteration times beyond this (30 years) serve nobody and would overflow.
constexpr double kMaxParameterMs = 1e12;

struct QueueProblem {
  double rate_per_ms = 0;
  QueueShape shape{};
  QueueTargets targets;
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

// Which targets are out of reach, with the best achievable values.
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

void write_sizing(JsonWriter& json, const QueueProblem& problem) {
  const QueueSizing sizing = size_queue(problem.shape, problem.targets);
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

void write_optimum(JsonWriter& json, const QueueProblem& problem) {
  const QueueOptimum optimum = optimize_concurrency(problem.shape, problem.targets);
  json.value("feasible", optimum.feasible);
  json.value("concurrency", optimum.concurrency);
  if (optimum.feasible) {
    write_analysis(json, optimum.achieved);
  } else {
    QueueShape least = problem.shape;
    least.max_batch = 1;
    const LatencyTargets& targets = problem.targets.latency;
    json.value("throughput", std::int64_t{0});
    json.value("reason", "at concurrency 1, " +
                             infeasible_reason(size_queue(least, problem.targets), targets));
  }
  json.value("M_ITL", optimum.max_batch_for_itl);
  json.value("M_TPF", optimum.max_batch_for_ttft);
}

void write_answer(JsonWriter& json, QueueCommand command, const QueueProblem& problem) {
  json.begin_object();
  switch (command) {
    case QueueCommand::kSolve:
      write_analysis(json, analyze_queue(problem.shape, problem.rate_per_ms));
      break;
    case QueueCommand::kTarget:
      write_sizing(json, problem);
      break;
    case QueueCommand::kOptimize:
      write_optimum(json, problem);
      break;
  }
  json.end();
}

}  // namespace

QueueAnswer answer_queue_problems(QueueCommand command, std::string_view text,
                                  const std::string& name) {
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

  JsonWriter json(JsonWriter::Unwritable::kReplace);
  if (is_array) json.begin_array();
  for (const QueueProblem& problem : problems) write_answer(json, command, problem);
  if (is_array) json.end();
  answer.json = json.take();
  return answer;
}

}  // namespace tonnage
