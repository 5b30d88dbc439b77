// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The evaluator over devices: opens them for each piece of work, runs the engines of search/ and
// grid/, and gives every failure the documented type.
#include "cuda/src/device_evaluator.hpp"

#include <iterator>
#include <utility>

#include "tonnage/core/callbacks.hpp"
#include "tonnage/core/error.hpp"

namespace tonnage::cuda {
namespace {

class DeviceEvaluator : public Evaluator {
 public:
  DeviceEvaluator(OpenDevices open, std::unique_ptr<Evaluator> host, const EngineOptions& options)
      : open_(std::move(open)), host_(std::move(host)), options_(options) {}

  [[nodiscard]] std::string_view name() const override { return "cuda"; }

  [[nodiscard]] Availability availability() const override {
    try {
      std::string names;
      for (const auto& device : open_()) names += (names.empty() ? "" : ", ") + device->name();
      return {true, names};
    } catch (const std::exception& error) {
      return {false, error.what()};
    }
  }

  [[nodiscard]] SearchResult search(const Problem& problem,
                                    const SearchOptions& options) const override {
    SearchResult result;
    run([&](CallbackErrors& callbacks) {
      SearchOptions watched = options;
      watched.progress = callbacks.watched(options.progress);
      result = search_on_devices(open_all(), *host_, problem, watched, options_.search);
    });
    return result;
  }

  void table(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
             const GridConsumer& consumer) const override {
    run([&](CallbackErrors& callbacks) {
      GridOptions watched = options;
      watched.progress = callbacks.watched(options.progress);
      const auto watched_consumer = [&](const GridBlock& block) {
        callbacks.watch([&] { consumer(block); });
      };
      table_on_devices(open_all(), *host_, problem, grid, watched, watched_consumer,
                       options_.table);
    });
  }

  void points(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
              const PointOptions& wanted, const PointConsumer& consumer) const override {
    if (wanted.ttft != GridColumn::kTtft) {
      Evaluator::points(problem, grid, options, wanted, consumer);  // out of the devices' table
      return;
    }
    run([&](CallbackErrors& callbacks) {
      GridOptions watched = options;
      watched.progress = callbacks.watched(options.progress);
      const auto watched_consumer = [&](std::int64_t ordinal, std::span<const ParetoPoint> points) {
        callbacks.watch([&] { consumer(ordinal, points); });
      };
      points_on_devices(open_all(), *host_, problem, grid, watched, wanted, watched_consumer,
                        options_.points);
    });
  }

 private:
  // Converts failures to the documented type.
  template <class Work>
  static void run(const Work& work) {
    CallbackErrors callbacks;
    try {
      work(callbacks);
    } catch (const Error&) {
      callbacks.rethrow();
      throw;
    } catch (const std::exception& error) {
      callbacks.rethrow();
      throw Error(ErrorCode::kUnavailable, std::string("the CUDA backend failed: ") + error.what());
    }
  }

  [[nodiscard]] std::vector<std::unique_ptr<Device>> open_all() const {
    std::vector<std::unique_ptr<Device>> devices = open_();
    for (int time = 1; time < options_.times_opened; ++time) {
      auto more = open_();
      std::move(more.begin(), more.end(), std::back_inserter(devices));
    }
    return devices;
  }

  OpenDevices open_;
  std::unique_ptr<Evaluator> host_;
  EngineOptions options_;
};

}  // namespace

std::unique_ptr<Evaluator> make_device_evaluator(OpenDevices open, std::unique_ptr<Evaluator> host,
                                                 const EngineOptions& options) {
  return std::make_unique<DeviceEvaluator>(std::move(open), std::move(host), options);
}

}  // namespace tonnage::cuda
