// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The observer of a save knows its temporary files at every moment.
#include "tonnage/io/unfinished_files.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "tests/io/temporary_folder.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/io/atomic_file.hpp"

namespace tonnage::test {
namespace {

namespace fs = std::filesystem;

// Checks after each change that everything in a folder, except `results` and their content, has
// been reported.
class Watch : public UnfinishedFiles {
 public:
  Watch(std::string folder, std::set<std::string> results)
      : folder_(std::move(folder)), results_(std::move(results)) {}

  void begin_change() noexcept override { EXPECT_FALSE(std::exchange(changing_, true)); }
  void end_change() noexcept override {
    EXPECT_TRUE(std::exchange(changing_, false));
    for (auto entry = fs::recursive_directory_iterator(folder_);
         entry != fs::recursive_directory_iterator(); ++entry) {
      if (results_.contains(entry->path().string())) {
        entry.disable_recursion_pending();
      } else {
        EXPECT_TRUE(names_.contains(entry->path().string())) << entry->path();
        ++seen_;
      }
    }
  }
  void add(const std::string& path) override {
    EXPECT_TRUE(changing_);
    names_.insert(path);
  }
  void remove(const std::string& path) noexcept override {
    EXPECT_TRUE(changing_);
    std::erase_if(names_, [&](const std::string& name) {
      return name == path || name.starts_with(path + "/");
    });
  }

  [[nodiscard]] const std::set<std::string>& names() const { return names_; }
  // Temporary files and folders met, one of them as often as there were changes.
  [[nodiscard]] int seen() const { return seen_; }

 private:
  std::string folder_;
  std::set<std::string> results_, names_;
  bool changing_ = false;
  int seen_ = 0;
};

TEST(UnfinishedFiles, NameTheTemporaryFileOfASave) {
  const TemporaryFolder folder;
  Watch watch(folder.path(), {folder / "plan.json"});
  {
    AtomicFile file(folder / "plan.json", &watch);
    file.write("text");
    EXPECT_EQ(watch.names().size(), 1U);
    file.commit();
    EXPECT_TRUE(watch.names().empty());
  }
  { const AtomicFile abandoned(folder / "plan.json", &watch); }
  EXPECT_TRUE(watch.names().empty());
  EXPECT_THROW(write_file_atomically(folder / "absent/plan.json", "", &watch), Error);
  EXPECT_TRUE(watch.names().empty());
  write_file_atomically("/dev/null", "text", &watch);
  EXPECT_EQ(watch.seen(), 2);
  EXPECT_EQ(folder.num_entries(), 1U);
}

FolderForm grid_form() {
  return {"a grid", "mark",
          [](const std::string&) { return std::vector<std::string>{"mark", "cost.npy"}; }};
}

TEST(UnfinishedFiles, NameATemporaryFolderAndItsFilesAndTheFolderThatItReplaces) {
  const TemporaryFolder folder;
  Watch watch(folder.path(), {folder / "grid"});
  for (int i = 0; i < 3; ++i) {
    AtomicFolder grid(folder / "grid", grid_form(), &watch);
    for (const char* name : {"mark", "cost.npy"}) grid.write_at(grid.add(name), 0, "text");
    EXPECT_EQ(watch.names().size(), 3U);
    if (i < 2) {
      EXPECT_EQ(grid.commit(), "");
    }
  }
  EXPECT_TRUE(watch.names().empty());
  EXPECT_GE(watch.seen(), 3 * (1 + 2 + 3));
  EXPECT_EQ(folder.num_entries(), 1U);
  EXPECT_THROW(AtomicFolder(folder / "absent/grid", grid_form(), &watch), Error);
  EXPECT_TRUE(watch.names().empty());
}

}  // namespace
}  // namespace tonnage::test
