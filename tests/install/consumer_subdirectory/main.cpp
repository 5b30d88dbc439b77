// Uses the domain alone.
#include "tonnage/core/system.hpp"
#include "tonnage/cuda/probe.hpp"

int main() {
  const tonnage::System system;
  return system.servers().empty() && !tonnage::probe_cuda().compiled ? 0 : 1;
}
