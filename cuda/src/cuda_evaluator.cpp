// The CUDA evaluator: the engine on the devices that the probe finds. Compiled in every build; only
// what opens devices differs.
#include <utility>

#include "engine.hpp"
#include "point_engine.hpp"
#include "table_engine.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/cuda/evaluator.hpp"
#include "tonnage/cuda/probe.hpp"

namespace tonnage {
namespace {

class CudaEvaluator : public Evaluator {
 public:
  explicit CudaEvaluator(std::unique_ptr<Evaluator> host) : host_(std::move(host)) {}

  [[nodiscard]] std::string_view name() const override { return "cuda"; }

  [[nodiscard]] Availability availability() const override {
    const CudaProbe probe = probe_cuda();
    if (!probe.usable) return {false, probe.reason};
    std::string devices;
    for (const CudaDevice& device : probe.devices) {
      devices += (devices.empty() ? "" : ", ") + device.name;
    }
    return {true, devices};
  }

  [[nodiscard]] SearchResult search(const Problem& problem,
                                    const SearchOptions& options) const override {
    return cuda::search_on_devices(usable_devices(), *host_, problem, options);
  }

  void table(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
             const GridConsumer& consumer) const override {
    cuda::table_on_devices(usable_devices(), *host_, problem, grid, options, consumer);
  }

  void points(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
              const PointOptions& wanted, const PointConsumer& consumer) const override {
    if (wanted.ttft != GridColumn::kTtft) {
      Evaluator::points(problem, grid, options, wanted, consumer);  // out of the devices' table
      return;
    }
    cuda::points_on_devices(usable_devices(), *host_, problem, grid, options, wanted, consumer);
  }

 private:
  [[nodiscard]] std::vector<std::unique_ptr<cuda::Device>> usable_devices() const {
    auto devices = cuda::open_devices();
    if (devices.empty()) throw Error(ErrorCode::kUnavailable, availability().reason);
    return devices;
  }

  std::unique_ptr<Evaluator> host_;
};

}  // namespace

std::unique_ptr<Evaluator> make_cuda_evaluator(std::unique_ptr<Evaluator> host) {
  return std::make_unique<CudaEvaluator>(std::move(host));
}

}  // namespace tonnage
