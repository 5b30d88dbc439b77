// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Builds a tree from the events of the JSON parser, and turns its errors into problems.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "io/src/json/json_stand_ins.hpp"
#include "io/src/json/json_tree.hpp"
#include "io/src/results/text_rendering.hpp"

namespace tonnage {
namespace {

// " at line 3, column 7": the position of the byte read last.
std::string position_text(std::string_view text, std::size_t bytes_read) {
  const std::string_view before = text.substr(0, bytes_read == 0 ? 0 : bytes_read - 1);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t newline = before.rfind('\n');
  const std::size_t column =
      1 + (newline == before.npos ? before.size() : before.size() - newline - 1);
  return " at line " + std::to_string(line) + ", column " + std::to_string(column);
}

// The name of an encoding other than UTF-8, recognised by the first bytes; else empty.
std::string_view other_encoding(std::string_view text) {
  using namespace std::string_view_literals;
  const auto starts = [&](std::string_view mark) { return text.starts_with(mark); };
  const auto zero = [&](std::size_t at) { return at < text.size() && text[at] == '\0'; };
  if (starts("\xFF\xFE\0\0"sv) || starts("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (starts("\xFF\xFE"sv) || starts("\xFE\xFF"sv)) return "UTF-16";
  // Without a byte order mark: JSON starts with two ASCII characters.
  if (text.size() >= 8 && zero(1) && zero(2) && zero(5) && zero(6) &&
      ((zero(0) && zero(4) && !zero(3) && !zero(7)) ||
       (zero(3) && zero(7) && !zero(0) && !zero(4)))) {
    return "UTF-32";
  }
  if (text.size() >= 4 && ((zero(0) && zero(2) && !zero(1) && !zero(3)) ||
                           (zero(1) && zero(3) && !zero(0) && !zero(2)))) {
    return "UTF-16";
  }
  return {};
}

}  // namespace

// The handler that the parser drives; the names of its first public functions are the parser's.
class JsonTreeBuilder {
 public:
  // `replaced`: what each kStandIn stands for, in order; empty: kStandIn means itself.
  JsonTreeBuilder(std::string_view text, std::span<const StoodFor> replaced,
                  std::vector<JsonTree::Problem>& problems)
      : text_(text), replaced_(replaced), problems_(problems) {}

  bool null() { return add(JsonKind::kNull); }
  bool boolean(bool value) {
    if (!add(JsonKind::kBool)) return false;
    tree_.nodes_.back().boolean = value;
    return true;
  }
  bool number_integer(std::int64_t value) {
    if (!add(JsonKind::kInteger)) return false;
    tree_.nodes_.back().integer = value;
    return true;
  }
  bool number_unsigned(std::uint64_t value) {
    if (std::in_range<std::int64_t>(value)) {
      return number_integer(static_cast<std::int64_t>(value));
    }
    return add_number(static_cast<double>(value));
  }
  bool number_float(double value, const std::string& digits) {
    if (digits != kStandIn || replaced_.empty()) return add_number(value);
    const StoodFor stood_for = replaced_.front();
    replaced_ = replaced_.subspan(1);
    switch (stood_for.kind) {
      case StoodFor::Kind::kItself:
        return add_number(value);
      case StoodFor::Kind::kOverflow:
        return add(JsonKind::kOverflow) && set_text(stood_for.text);
      case StoodFor::Kind::kNotANumber:
        if (!add(JsonKind::kOverflow)) return false;
        report_problem({.pointer = JsonValue(tree_, last_node()).pointer(),
                        .found = shortened(stood_for.text),
                        .expected = "a finite number"});
        unreadable_ = true;
        return true;
    }
    return false;
  }
  bool string(const std::string& value) { return add(JsonKind::kString) && set_text(value); }
  bool binary(const nlohmann::json::binary_t& /*value*/) { return false; }  // not in JSON text

  bool start_object(std::size_t /*size*/) { return open(JsonKind::kObject); }
  bool end_object() {
    check_keys(open_.back().node);
    return close();
  }
  bool start_array(std::size_t /*size*/) { return open(JsonKind::kArray); }
  bool end_array() { return close(); }
  bool key(const std::string& value) {
    const auto [place, fresh] =
        key_ids_.try_emplace(value, static_cast<std::uint32_t>(tree_.keys_.size()));
    if (fresh) tree_.keys_.push_back(value);
    next_key_ = place->second;
    return true;
  }

  bool parse_error(std::size_t bytes_read, const std::string& /*last_token*/,
                   const nlohmann::detail::exception& error) {
    const std::string position = position_text(text_, bytes_read);
    if (bytes_read > 0 && bytes_read <= text_.size() && text_[bytes_read - 1] == '\0') {
      return refuse_nul(bytes_read - 1);
    }
    // From "[id] parse error at ...: syntax error while ... - reason; last read: ...; expected ..."
    // keep the reason and what was expected.
    std::string reason = error.what();
    std::string expected = "valid JSON";
    if (const auto at = reason.find(" - "); at != reason.npos) reason.erase(0, at + 3);
    if (const auto at = reason.find("; expected "); at != reason.npos) {
      expected = reason.substr(at + std::string_view("; expected ").size()) + ", as JSON demands";
      reason.erase(at);
    }
    if (const auto at = reason.find("; last read: "); at != reason.npos) reason.erase(at);
    return refuse(shortened(reason) + position, std::move(expected));
  }

  // Stops parsing at a NUL byte.
  bool refuse_nul(std::size_t at) {
    return refuse("a NUL byte" + position_text(text_, at + 1), "JSON, which has no NUL bytes");
  }

  // Absent if the text is not JSON although the parser accepted it.
  [[nodiscard]] std::optional<JsonTree> take() {
    // The parser treats a NUL byte as the end of the text and ignores the rest.
    if (const std::size_t nul = text_.find('\0'); nul != text_.npos) {
      unreadable_ = true;
      (void)refuse_nul(nul);
    }
    if (unreadable_) return std::nullopt;
    return std::move(tree_);
  }

 private:
  using Node = JsonTree::Node;

  struct Container {
    std::uint32_t node;
    std::uint32_t size;  // elements so far
  };

  bool add(JsonKind kind) {
    if (tree_.nodes_.size() >= JsonTree::kMaxValues) {
      return refuse("more than " + std::to_string(JsonTree::kMaxValues) + " values",
                    "a smaller document");
    }
    Node node;
    node.kind = kind;
    if (!open_.empty()) {
      Container& around = open_.back();
      const bool in_object = tree_.nodes_[around.node].kind == JsonKind::kObject;
      node.parent = around.node;
      node.key = in_object ? next_key_ : around.size;
      ++around.size;
    }
    node.end = static_cast<std::uint32_t>(tree_.nodes_.size()) + 1;
    tree_.nodes_.push_back(node);
    return true;
  }

  bool add_number(double value) {
    if (!add(JsonKind::kNumber)) return false;
    tree_.nodes_.back().number = value;
    return true;
  }

  [[nodiscard]] std::uint32_t last_node() const {
    return static_cast<std::uint32_t>(tree_.nodes_.size()) - 1;
  }

  bool set_text(std::string_view value) {
    tree_.nodes_.back().text = {.offset = static_cast<std::uint32_t>(tree_.strings_.size()),
                                .length = static_cast<std::uint32_t>(value.size())};
    tree_.strings_ += value;
    return true;
  }

  bool open(JsonKind kind) {
    if (open_.size() >= JsonTree::kMaxDepth) {
      return refuse("more than " + std::to_string(JsonTree::kMaxDepth) + " levels of nesting",
                    "objects and arrays nested less deeply");
    }
    if (!add(kind)) return false;
    open_.push_back({.node = last_node(), .size = 0});
    return true;
  }

  bool close() {
    tree_.nodes_[open_.back().node].end = static_cast<std::uint32_t>(tree_.nodes_.size());
    open_.pop_back();
    return true;
  }

  // Further problems within the text are dropped beyond a number that is of use.
  void report_problem(JsonTree::Problem problem) {
    constexpr std::size_t kMaxProblems = 10'000;
    if (problems_.size() < kMaxProblems) problems_.push_back(std::move(problem));
  }

  // Stops parsing.
  bool refuse(std::string found, std::string expected) {
    problems_.push_back(
        {.pointer = open_.empty() ? "" : JsonValue(tree_, open_.back().node).pointer(),
         .found = std::move(found),
         .expected = std::move(expected)});
    return false;
  }

  // Reports each key of the object just read that stands in it more than once.
  void check_keys(std::uint32_t object) {
    members_.clear();
    const auto end = static_cast<std::uint32_t>(tree_.nodes_.size());
    for (std::uint32_t child = object + 1; child < end; child = tree_.nodes_[child].end) {
      members_.emplace_back(tree_.nodes_[child].key, child);
    }
    std::sort(members_.begin(), members_.end());
    for (std::size_t i = 1; i < members_.size(); ++i) {
      if (members_[i].first != members_[i - 1].first) continue;
      const JsonValue value(tree_, members_[i].second);
      report_problem({.pointer = value.pointer(),
                      .found = "the key " + quoted(value.key()) + " a second time",
                      .expected = "each key once per object"});
    }
  }

  std::string_view text_;
  std::span<const StoodFor> replaced_;  // what the stand-ins yet to come stand for
  std::vector<JsonTree::Problem>& problems_;
  bool unreadable_ = false;
  JsonTree tree_;
  std::unordered_map<std::string, std::uint32_t> key_ids_;
  std::uint32_t next_key_ = 0;
  std::vector<Container> open_;  // the containers around the next value
  std::vector<std::pair<std::uint32_t, std::uint32_t>> members_;  // (key, node) of one object
};

std::optional<JsonTree> JsonTree::parse(std::string_view text, std::vector<Problem>& problems) {
  const std::string_view encoding = other_encoding(text);
  if (!encoding.empty()) {
    problems.push_back({.pointer = {},
                        .found = std::string(encoding) + " text at line 1, column 1",
                        .expected = "JSON in UTF-8"});
    return std::nullopt;
  }
  const auto parsed = [&](std::string_view readable,
                          std::span<const StoodFor> replaced) -> std::optional<JsonTree> {
    JsonTreeBuilder builder(readable, replaced, problems);
    if (!nlohmann::json::sax_parse(readable, &builder)) return std::nullopt;
    return builder.take();
  };
  const std::size_t problems_before = problems.size();
  if (auto tree = parsed(text, {})) return tree;
  // The parser stops at the first number that it cannot represent.
  const StandIns stand_ins = put_stand_ins(text);
  const bool none = std::all_of(stand_ins.replaced.begin(), stand_ins.replaced.end(),
                                [](auto& r) { return r.kind == StoodFor::Kind::kItself; });
  if (none) return std::nullopt;
  problems.resize(problems_before);
  return parsed(stand_ins.text, stand_ins.replaced);
}

}  // namespace tonnage
