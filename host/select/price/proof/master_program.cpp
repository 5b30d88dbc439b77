// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The restricted master program of a stage: columns, duals, shares, separation of cuts and their
// removal.
#include "host/select/price/proof/master_program.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "tonnage/core/elementary.hpp"

namespace tonnage::price {
namespace {

// Columns of one effect to start with, ties and others; and those that are no ties in all.
constexpr std::size_t kTies = 40, kOthers = 8, kMaxFirst = 3000;
constexpr std::size_t kMaxCuts = 50;  // added at a time
// Cuts that are violated, and that do not bind, by less than this count as holding and binding.
constexpr double kLeastEfficacy = 1e-4, kSlack = 1e-6;
// Combinations are rounded as they are and multiplied (by -1 the cut would be the same).
constexpr std::array kTimes{1.0, 2.0, 3.0};
constexpr double kNothing = 1e-9;  // a share of a cut that the linear program does without
// What exceeding a row costs, as a multiple of the dearest price.
constexpr double kExcess = 100;
// What making a cut takes of every effect, in terms of a sum; and so many terms are a step of work.
constexpr std::int64_t kRoundingSums = 16, kSumsAtOnce = 16;

bool is_nothing(double share) { return std::abs(share) < kNothing; }

}  // namespace

ChoiceProgram::ChoiceProgram(Choices& choices) : choices_(choices) { start(); }

void ChoiceProgram::start() {
  const Prices& prices = choices_.prices();
  const Stage& stage = choices_.stage();
  double dearest = *std::max_element(prices.resource.begin(), prices.resource.end());
  for (std::int32_t k = 0; k < stage.num_classes; ++k) {
    if (stage.is_priced(k)) dearest = std::max(dearest, prices.skip[k] - stage.skip_cost[k]);
  }
  std::vector<LinearProgram::Row> rows;
  std::vector<LinearProgram::Column> excess;
  for (const double room : choices_.room()) {
    const auto row = static_cast<std::int32_t>(rows.size());
    rows.push_back({room, {}});
    excess.push_back({kExcess * (dearest > 0 ? dearest : 1), kInfinity, {{row, -1.0}}});
  }
  lp_.add_rows(rows);
  lp_.add_columns(excess);
  cut_of_row_.assign(rows.size(), -1);
  CheapestMoves moves({kTies, kOthers, kCostTolerance});
  for (std::int64_t p = 0; p < choices_.num_servers(); ++p) {
    const double before = choices_.cost(p, choices_.reference().option_of(p));
    choices_.for_others(p, [&](std::int64_t o) {
      moves.add(static_cast<std::uint64_t>(choices_.slot_of(p, o)),
                {choices_.cost(p, o) - before, p, o});
    });
  }
  std::vector<Move> chosen = moves.all();
  std::sort(chosen.begin(), chosen.end(), by_reduced_cost);
  std::size_t others = 0;
  std::erase_if(chosen, [&](const Move& m) {
    return m.reduced_cost > kCostTolerance && ++others > kMaxFirst;
  });
  add(std::move(chosen));
}

std::int32_t ChoiceProgram::lp_column(std::int32_t column) const {
  return static_cast<std::int32_t>(choices_.room().size()) + column;
}

void ChoiceProgram::add(std::vector<Move> moves) {
  std::sort(moves.begin(), moves.end(), by_server);
  std::vector<LinearProgram::Row> rows;
  for (const Move& m : moves) {
    const auto row = static_cast<std::int32_t>(cut_of_row_.size());
    if (!members_.try_emplace(m.server, Member{row, {}}).second) continue;
    cut_of_row_.push_back(-1);
    rows.push_back({1.0, {}});
    choices_.separate(m.server, [&](std::int32_t slot) {
      for (Cut& cut : cuts_) cut.share.push_back(cut.share[slot]);
    });
  }
  if (!rows.empty()) lp_.add_rows(rows);
  std::vector<LinearProgram::Column> columns;
  for (const Move& m : moves) {
    const std::int32_t slot = choices_.slot_of(m.server, m.to);
    Member& member = members_.at(m.server);
    LinearProgram::Column column;
    column.objective = choices_.worth(m.server, m.to) -
                       choices_.worth(m.server, choices_.reference().option_of(m.server));
    column.most = kInfinity;
    const Effects& effects = choices_.effects();
    for (const auto* e = effects.begin(slot); e != effects.end(slot); ++e) {
      column.entries.emplace_back(e->row, e->amount);
    }
    column.entries.emplace_back(member.row, 1.0);
    for (std::size_t row = 0; row < cut_of_row_.size(); ++row) {
      if (cut_of_row_[row] < 0) continue;
      const double share = cuts_[cut_of_row_[row]].share[slot];
      if (!is_nothing(share)) column.entries.emplace_back(static_cast<std::int32_t>(row), share);
    }
    member.columns.push_back(static_cast<std::int32_t>(columns_.size()));
    columns.push_back(std::move(column));
    columns_.push_back({m.server, m.to, slot});
  }
  if (!columns.empty()) lp_.add_columns(columns);
}

bool ChoiceProgram::has_column(std::int64_t server, std::int64_t choice) const {
  const auto member = members_.find(server);
  if (member == members_.end()) return false;
  return std::any_of(member->second.columns.begin(), member->second.columns.end(),
                     [&](std::int32_t c) { return choice_of(c) == choice; });
}

void ChoiceProgram::allow(std::int64_t server, const std::vector<std::int64_t>& allowed) {
  const auto may = [&](std::int64_t o) {
    return std::find(allowed.begin(), allowed.end(), o) != allowed.end();
  };
  const auto member = members_.find(server);
  if (member == members_.end()) return;  // nothing but the choice of the reference
  for (const std::int32_t c : member->second.columns) {
    if (!may(choice_of(c))) lp_.set_most(lp_column(c), 0);
  }
  if (!may(choices_.reference().option_of(server))) lp_.set_lower(member->second.row, 1);
}

void ChoiceProgram::allow_all(std::int64_t server) {
  const auto member = members_.find(server);
  if (member == members_.end()) return;
  for (const std::int32_t c : member->second.columns) lp_.set_most(lp_column(c), kInfinity);
  lp_.set_lower(member->second.row, -kInfinity);
}

ChoiceProgram::Duals ChoiceProgram::duals() const {
  const std::vector<double> prices = lp_.prices();
  Duals duals;
  for (std::size_t r = 0; r < choices_.room().size(); ++r) {
    duals.rows.push_back(std::max(0.0, prices[r]));
  }
  duals.cut_prices.assign(static_cast<std::size_t>(choices_.effects().size()), 0.0);
  sums_ += choices_.effects().size() * std::ssize(cuts_);
  for (std::size_t row = 0; row < cut_of_row_.size(); ++row) {
    if (cut_of_row_[row] < 0 || prices[row] <= 0) continue;
    const Cut& cut = cuts_[cut_of_row_[row]];
    for (std::size_t s = 0; s < duals.cut_prices.size(); ++s) {
      duals.cut_prices[s] += prices[row] * cut.share[s];
    }
    duals.most += prices[row] * cut.most;
  }
  for (const auto& [server, member] : members_) {
    duals.servers[server] = prices[static_cast<std::size_t>(member.row)];
  }
  return duals;
}

std::vector<ChoiceProgram::Shares> ChoiceProgram::shares() const {
  const std::vector<double> x = lp_.x();
  std::vector<Shares> all;
  for (const auto& [server, member] : members_) {
    Shares shares{server};
    for (const std::int32_t c : member.columns) {
      const double share = x[static_cast<std::size_t>(lp_column(c))];
      shares.of_reference -= share;
      if (share > shares.largest) {
        shares.largest = share;
        shares.column = c;
      }
    }
    all.push_back(shares);
  }
  std::sort(all.begin(), all.end(),
            [](const Shares& a, const Shares& b) { return a.server < b.server; });
  return all;
}

std::vector<Moved> ChoiceProgram::moved() const {
  std::vector<Moved> moved;
  for (const Shares& s : shares()) {
    if (!s.is_moved()) continue;
    moved.push_back({columns_[static_cast<std::size_t>(s.column)].slot, {}});
    choices_.for_others(s.server, [&](std::int64_t o) {
      moved.back().own.push_back(choices_.slot_of(s.server, o));
    });
  }
  return moved;
}

std::vector<double> ChoiceProgram::left(const std::vector<double>& x) const {
  const Effects& effects = choices_.effects();
  std::vector<double> left = choices_.room();
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const double share = x[choices_.room().size() + c];
    const std::int32_t slot = columns_[c].slot;
    if (share == 0) continue;
    for (const auto* e = effects.begin(slot); e != effects.end(slot); ++e) {
      left[e->row] -= share * e->amount;
    }
  }
  return left;
}

bool ChoiceProgram::separate() {
  const std::vector<double> x = lp_.x();
  const std::size_t rows = choices_.room().size();
  const std::vector<Moved> moved = this->moved();
  const std::vector<double> left = this->left(x);
  struct Found {
    double efficacy;
    Cut cut;
  };
  std::vector<Found> found;
  const std::vector<std::int32_t> basis = lp_.basis();
  for (std::size_t place = 0; place < basis.size(); ++place) {
    const auto variable = static_cast<std::size_t>(basis[place]);
    double value = 0;
    if (variable >= rows && variable < x.size()) value = x[variable];
    if (variable >= x.size() && variable - x.size() < rows) value = left[variable - x.size()];
    if (std::abs(value - std::round(value)) < kFraction) continue;
    const std::vector<double> inverse = lp_.inverse_row(static_cast<std::int32_t>(place));
    for (const double times : kTimes) {
      sums_ += choices_.effects().size() * (std::ssize(cuts_) + kRoundingSums);
      Cut cut;
      if (!gomory_cuts(choices_.effects(), choices_.room(), combination(inverse, times), moved,
                       cut)) {
        continue;
      }
      double norm = 0;
      for (const Column& c : columns_) norm += cut.share[c.slot] * cut.share[c.slot];
      const double efficacy = (share_sum(cut, x) - cut.most) / std::sqrt(norm);
      if (efficacy > kLeastEfficacy) found.push_back({efficacy, std::move(cut)});
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.efficacy > b.efficacy; });
  if (found.size() > kMaxCuts) found.resize(kMaxCuts);
  std::vector<LinearProgram::Row> new_rows;
  for (Found& f : found) {
    new_rows.push_back(row_of(f.cut));
    cut_of_row_.push_back(static_cast<std::int32_t>(cuts_.size()));
    cuts_.push_back(std::move(f.cut));
  }
  if (!new_rows.empty()) lp_.add_rows(new_rows);
  return !new_rows.empty();
}

LinearProgram::Row ChoiceProgram::row_of(const Cut& cut) const {
  LinearProgram::Row row{cut.most, {}};
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const double share = cut.share[columns_[c].slot];
    if (!is_nothing(share)) {
      row.entries.emplace_back(lp_column(static_cast<std::int32_t>(c)), share);
    }
  }
  return row;
}

double ChoiceProgram::share_sum(const Cut& cut, const std::vector<double>& x) const {
  double sum = 0;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    sum += cut.share[columns_[c].slot] * x[choices_.room().size() + c];
  }
  return sum;
}

Combination ChoiceProgram::combination(const std::vector<double>& inverse, double times) const {
  Combination result;
  for (std::size_t row = 0; row < cut_of_row_.size(); ++row) {
    if (row < choices_.room().size()) {
      result.u.push_back(times * inverse[row]);
    } else if (cut_of_row_[row] >= 0 && std::abs(inverse[row]) > kNothing) {
      result.cuts.emplace_back(&cuts_[cut_of_row_[row]], times * inverse[row]);
    }
  }
  return result;
}

bool ChoiceProgram::drop_slack() {
  const std::vector<double> x = lp_.x();
  std::vector<std::int32_t> dropped, cut_of_row, row_now;
  std::vector<Cut> kept;
  for (std::size_t row = 0; row < cut_of_row_.size(); ++row) {
    row_now.push_back(static_cast<std::int32_t>(cut_of_row.size()));
    if (cut_of_row_[row] < 0) {
      cut_of_row.push_back(-1);
      continue;
    }
    Cut& cut = cuts_[cut_of_row_[row]];
    if (cut.most - share_sum(cut, x) > kSlack) {
      dropped.push_back(static_cast<std::int32_t>(row));
      continue;
    }
    cut_of_row.push_back(static_cast<std::int32_t>(kept.size()));
    kept.push_back(std::move(cut));
  }
  cuts_ = std::move(kept);
  cut_of_row_ = std::move(cut_of_row);
  if (dropped.empty()) return true;
  for (auto& [server, member] : members_) {
    member.row = row_now[static_cast<std::size_t>(member.row)];
  }
  lp_.remove_rows(dropped);
  return lp_.solve();
}

std::int64_t ChoiceProgram::work() const { return lp_.work() + sums_ / kSumsAtOnce; }

}  // namespace tonnage::price
