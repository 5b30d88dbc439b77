// What the check measures and how it is written down: seconds of the fastest run, rates, and the
// machine they belong to.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace tonnage::check {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
// Of the fastest of `times` runs.
inline double fastest(int times, const std::function<void()>& work) {
  double best = seconds_of(work);
  for (int i = 1; i < times; ++i) best = std::min(best, seconds_of(work));
  return best;
}

struct Result {
  std::string name;
  double seconds;
  std::string rate_name;  // of what is counted, "candidates"
  double count;
};

class Report {
 public:
  void add(const std::string& name, double seconds, const std::string& rate_name, double count) {
    results_.push_back({name, seconds, rate_name, count});
    std::printf("%-58s %10.3f ms %10.4g %s/s\n", name.c_str(), seconds * 1e3, count / seconds,
                rate_name.c_str());
    std::fflush(stdout);
  }
  void add_context(const std::string& name, const std::string& json) {
    context_ += (context_.empty() ? "" : ",\n  ") + ("\"" + name + "\": " + json);
  }
  [[nodiscard]] std::size_t size() const { return results_.size(); }
  void write(const std::string& path) const {
    std::ofstream out(path);
    out << "{\n \"context\": {\n  " << context_ << "\n },\n \"benchmarks\": [";
    for (std::size_t i = 0; i < results_.size(); ++i) {
      const Result& r = results_[i];
      char text[300];
      std::snprintf(text, sizeof text,
                    "%s\n  {\"name\": \"%s\", \"real_time\": %.9g, \"time_unit\": \"ns\", "
                    "\"%s_per_second\": %.9g}",
                    i == 0 ? "" : ",", r.name.c_str(), r.seconds * 1e9, r.rate_name.c_str(),
                    r.count / r.seconds);
      out << text;
    }
    out << "\n ]\n}\n";
    if (!out.flush()) throw Failure("cannot write " + path);
  }

 private:
  std::vector<Result> results_;
  std::string context_;
};

inline std::string quoted(const std::string& text) { return "\"" + text + "\""; }
inline std::string number(double x) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

}  // namespace tonnage::check
