// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Access to the values of a tree. json_tree_builder.cpp builds it.
#include "io/src/json/json_tree.hpp"

#include "io/src/results/text_rendering.hpp"

namespace tonnage {

JsonKind JsonValue::kind() const { return tree_->nodes_[node_].kind; }
bool JsonValue::boolean() const { return tree_->nodes_[node_].boolean; }
std::int64_t JsonValue::integer() const { return tree_->nodes_[node_].integer; }

double JsonValue::number() const {
  const JsonTree::Node& node = tree_->nodes_[node_];
  return node.kind == JsonKind::kInteger ? static_cast<double>(node.integer) : node.number;
}

std::string_view JsonValue::text() const {
  const JsonTree::Node& node = tree_->nodes_[node_];
  return std::string_view(tree_->strings_).substr(node.text.offset, node.text.length);
}

std::string_view JsonValue::key() const { return tree_->keys_[tree_->nodes_[node_].key]; }

std::string JsonValue::pointer() const {
  std::vector<std::string> steps;
  for (std::uint32_t at = node_; at != 0; at = tree_->nodes_[at].parent) {
    const JsonTree::Node& node = tree_->nodes_[at];
    steps.push_back(tree_->nodes_[node.parent].kind == JsonKind::kObject
                        ? pointer_step(tree_->keys_[node.key])
                        : std::to_string(node.key));
  }
  std::string result;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) result += '/' + *step;
  return result;
}

std::string JsonValue::rendering() const {
  switch (kind()) {
    case JsonKind::kNull:
      return "null";
    case JsonKind::kBool:
      return boolean() ? "true" : "false";
    case JsonKind::kInteger:
      return std::to_string(integer());
    case JsonKind::kNumber:
      return number_text(number());
    case JsonKind::kOverflow:
      return shortened(text());
    case JsonKind::kString:
      return quoted(text());
    case JsonKind::kArray:
      return "an array";
    case JsonKind::kObject:
      return "an object";
  }
  return {};
}

}  // namespace tonnage
