// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A parsed JSON document, compact and read-only, for the readers of spec and result files. Owns:
// syntax, limits on depth and size, exact duplicate keys, and the JSON pointer of every value.
// Members keep their order; a file of 60 MB takes about twice that in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tonnage {

enum class JsonKind : std::uint8_t {
  kNull,
  kBool,
  kInteger,   // fits int64
  kNumber,    // any other number that is finite in float64
  kOverflow,  // a number beyond float64
  kString,
  kArray,
  kObject,
};

class JsonTree;

// One value of a tree, which must outlive it.
class JsonValue {
 public:
  JsonValue(const JsonTree& tree, std::uint32_t node) : tree_(&tree), node_(node) {}

  [[nodiscard]] JsonKind kind() const;
  [[nodiscard]] bool boolean() const;           // of kBool
  [[nodiscard]] std::int64_t integer() const;   // of kInteger
  [[nodiscard]] double number() const;          // of kInteger and kNumber
  [[nodiscard]] std::string_view text() const;  // of kString, and the digits of kOverflow
  [[nodiscard]] std::string_view key() const;   // under which it stands in its object
  [[nodiscard]] std::string pointer() const;    // keys beyond 100 bytes are shortened
  [[nodiscard]] std::string rendering() const;  // for messages: short, quoted, one line

  // Calls visit(child) for the elements or members of this array or object, in order; nothing for
  // other kinds.
  template <class Visit>
  void for_each_child(Visit visit) const;

 private:
  const JsonTree* tree_;
  std::uint32_t node_;
};

class JsonTree {
 public:
  static constexpr std::size_t kMaxDepth = 64;
  static constexpr std::size_t kMaxValues = std::size_t{1} << 26;

  // Why a text could not be parsed. `pointer` names the repeated key, the number that is not
  // finite, or the container around any other problem.
  struct Problem {
    std::string pointer;
    std::string found;
    std::string expected;
  };

  // Parses RFC 8259 JSON in UTF-8. Skips a byte order mark at the start; a NUL byte anywhere is a
  // problem. Problems other than duplicate keys leave no tree. A number beyond float64 is no
  // problem but a value of its own kind. The text must be shorter than 4 GiB.
  [[nodiscard]] static std::optional<JsonTree> parse(std::string_view text,
                                                     std::vector<Problem>& problems);

  [[nodiscard]] JsonValue root() const { return JsonValue(*this, 0); }

 private:
  friend class JsonValue;
  friend class JsonTreeBuilder;

  struct TextRange {  // of strings_
    std::uint32_t offset;
    std::uint32_t length;
  };
  // Nodes are in document order: the first child follows its parent, and `end` is the node after
  // the last descendant.
  struct Node {
    JsonKind kind = JsonKind::kNull;
    std::uint32_t key = 0;  // in objects an index into keys_, in arrays the position
    std::uint32_t parent = 0;
    std::uint32_t end = 0;
    union {
      bool boolean;
      std::int64_t integer = 0;
      double number;
      TextRange text;
    };
  };

  std::vector<Node> nodes_;
  std::vector<std::string> keys_;  // each spelling once
  std::string strings_;
};

template <class Visit>
void JsonValue::for_each_child(Visit visit) const {
  const JsonTree::Node& node = tree_->nodes_[node_];
  if (node.kind != JsonKind::kArray && node.kind != JsonKind::kObject) return;
  for (std::uint32_t child = node_ + 1; child < node.end; child = tree_->nodes_[child].end) {
    visit(JsonValue(*tree_, child));
  }
}

}  // namespace tonnage
