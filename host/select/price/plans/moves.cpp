// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Keeps the cheapest moves of each effect in a hash table.
#include "host/select/price/plans/moves.hpp"

#include <algorithm>
#include <cmath>

namespace tonnage::price {

void CheapestMoves::add(std::uint64_t effect, const Move& move) {
  const bool is_tie = move.reduced_cost <= limits_.tie && -move.reduced_cost <= limits_.fall;
  Kind& kind = kind_of(effect);
  std::vector<Move>& heap = is_tie ? kind.ties : kind.others;
  if (heap.size() < (is_tie ? limits_.ties : limits_.others)) {
    heap.push_back(move);
    std::push_heap(heap.begin(), heap.end(), by_reduced_cost);
  } else if (!heap.empty() && by_reduced_cost(move, heap.front())) {
    std::pop_heap(heap.begin(), heap.end(), by_reduced_cost);
    heap.back() = move;
    std::push_heap(heap.begin(), heap.end(), by_reduced_cost);
  }
}

std::vector<Move> CheapestMoves::all() const {
  std::vector<Move> moves;
  for (const Kind& kind : kinds_) {
    moves.insert(moves.end(), kind.ties.begin(), kind.ties.end());
    moves.insert(moves.end(), kind.others.begin(), kind.others.end());
  }
  return moves;
}

CheapestMoves::Kind& CheapestMoves::kind_of(std::uint64_t effect) {
  std::size_t slot = slot_of(effect);
  if (slots_[slot] == kFree) {
    if (2 * kinds_.size() >= slots_.size()) {
      grow();
      slot = slot_of(effect);
    }
    slots_[slot] = std::ssize(kinds_);
    kinds_.push_back({effect, {}, {}});
  }
  return kinds_[static_cast<std::size_t>(slots_[slot])];
}

std::size_t CheapestMoves::slot_of(std::uint64_t effect) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = effect & mask;
  while (slots_[slot] != kFree && kinds_[static_cast<std::size_t>(slots_[slot])].effect != effect) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

void CheapestMoves::grow() {
  slots_.assign(2 * slots_.size(), kFree);
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    slots_[slot_of(kinds_[i].effect)] = static_cast<std::int64_t>(i);
  }
}

}  // namespace tonnage::price
