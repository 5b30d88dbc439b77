// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Folders of six files, single files and standard input.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "small_files.hpp"
#include "spec_text.hpp"
#include "temporary_folder.hpp"
#include "tests/io/files/child_process.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/io/spec_writer.hpp"

namespace tonnage::test {
namespace {

SystemSpec full_spec() { return read_system_from_string(kFullSpec, "test.json").spec; }

TEST(SpecFolder, ReadsTheSameAsTheCombinedFile) {
  const TemporaryFolder folder;
  write_system_folder(full_spec(), folder / "fleet/deeper");
  const SpecReadResult result = read_system(folder / "fleet/deeper");
  EXPECT_EQ(result.diagnostics.to_text(), "");
  EXPECT_EQ(result.spec, full_spec());

  write_file(folder / "combined.json", kFullSpec);
  EXPECT_EQ(read_system(folder / "combined.json").spec, full_spec());
}

TEST(SpecFolder, CapacityAndOptimizerMayBeAbsent) {
  const TemporaryFolder folder;
  SystemSpec spec = full_spec();
  write_system_folder(spec, folder.path());
  std::filesystem::remove(folder / "capacity-data.json");
  std::filesystem::remove(folder / "optimizer-data.json");
  const SpecReadResult result = read_system(folder.path());
  EXPECT_EQ(result.diagnostics.num_errors(), 0U);
  spec.capacities.clear();
  spec.optimizer = {};
  EXPECT_EQ(result.spec, spec);
}

// Limits and headroom must not vanish because the file that states them cannot be reached.
TEST(SpecFolder, OptionalFilesThatCannotBeReachedAreErrors) {
  for (const std::string name : {"capacity-data.json", "optimizer-data.json"}) {
    struct Case {
      const char* link;  // nullptr: a folder
      const char* found;
    };
    for (const Case& test :
         {Case{"gone.json", "No such file or directory (it is a symbolic link"},
          Case{name.c_str(), "Too many levels of symbolic links"},
          Case{"server-data.json/x", "Not a directory"}, Case{nullptr, "Is a directory"}}) {
      const TemporaryFolder folder;
      write_system_folder(full_spec(), folder.path());
      std::filesystem::remove(folder / name);
      if (test.link == nullptr) {
        std::filesystem::create_directory(folder / name);
      } else {
        std::filesystem::create_symlink(test.link, folder / name);
      }
      const SpecReadResult result = read_system(folder.path());
      ASSERT_EQ(result.diagnostics.num_errors(), 1U) << name << ", " << test.found;
      EXPECT_EQ(result.diagnostics.all()[0].file, folder / name);
      EXPECT_EQ(result.diagnostics.all()[0].found.find(test.found), 0U)
          << result.diagnostics.all()[0].found;
    }
  }
}

TEST(SpecFolder, ForbiddenFilesAndFoldersAreErrors) {
  const TemporaryFolder folder;
  write_system_folder(full_spec(), folder / "fleet");
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  if (geteuid() == 0) {
    ASSERT_EQ(chown((folder / "fleet").c_str(), kNobody, kNobody), 0);
    ASSERT_EQ(chown((folder / "fleet/capacity-data.json").c_str(), kNobody, kNobody), 0);
  }
  const bool possible = in_unprivileged_child([&] {
    EXPECT_EQ(chmod((folder / "fleet/capacity-data.json").c_str(), 0), 0);
    const SpecReadResult file = read_system(folder / "fleet");
    ASSERT_EQ(file.diagnostics.num_errors(), 1U);
    EXPECT_EQ(file.diagnostics.all()[0].file, folder / "fleet/capacity-data.json");
    EXPECT_EQ(file.diagnostics.all()[0].found, "Permission denied");
    EXPECT_EQ(chmod((folder / "fleet").c_str(), 0600), 0);  // its files cannot be looked at
    EXPECT_EQ(read_system(folder / "fleet").diagnostics.num_errors(), 6U);
    EXPECT_EQ(chmod((folder / "fleet").c_str(), 0700), 0);
  });
  if (!possible) GTEST_SKIP() << "the rights of the superuser cannot be given up here";
}

TEST(SpecFolder, ProblemsOfAllFilesAreReportedTogether) {
  const TemporaryFolder folder;
  write_system_folder(full_spec(), folder.path());
  std::filesystem::remove(folder / "model-data.json");
  write_file(folder / "accelerator-data.json", R"({"accelerators": [{"name": "G1"}]})");
  write_file(folder / "capacity-data.json", "{\"count\": [");
  write_file(folder / "serviceclass-data.json", R"({"serviceClasses": {}})");
  write_file(folder / "optimizer-data.json", R"({"optimizer": {"unlimited": 1}})");
  const auto errors = of_severity(read_system(folder.path()).diagnostics, Severity::kError);
  std::vector<std::pair<std::string, std::string>> places;
  for (const Diagnostic& error : errors) places.emplace_back(error.file, error.pointer);
  const std::string accelerators = folder / "accelerator-data.json";
  EXPECT_EQ(places, (std::vector<std::pair<std::string, std::string>>{
                        {accelerators, "/accelerators/0"},
                        {accelerators, "/accelerators/0"},
                        {accelerators, "/accelerators/0"},
                        {folder / "capacity-data.json", "/count"},
                        {folder / "model-data.json", ""},
                        {folder / "serviceclass-data.json", "/serviceClasses"},
                        {folder / "optimizer-data.json", "/optimizer/unlimited"}}));
}

TEST(SpecFolder, DanglingReferencesNameTheFileThatHoldsThem) {
  const TemporaryFolder folder;
  SystemSpec spec = full_spec();
  spec.servers[0].model = "m7";
  write_system_folder(spec, folder.path());
  const SpecReadResult result = read_system(folder.path());
  ASSERT_FALSE(result.diagnostics.all().empty());
  EXPECT_EQ(result.diagnostics.all()[0].file, folder / "server-data.json");
  EXPECT_EQ(result.diagnostics.all()[0].pointer, "/servers/0");
}

TEST(SpecFolder, FailureWhileWritingLeavesAllSixOldFiles) {
  const TemporaryFolder folder;
  write_system_folder(full_spec(), folder.path());
  SystemSpec spec = full_spec();
  spec.accelerators[0].cost_cents_per_hour = 7;
  while (spec.servers.size() < 100) spec.servers.push_back(spec.servers[0]);
  {
    const SmallFiles limit(5000);
    EXPECT_THROW(write_system_folder(spec, folder.path()), Error);
  }
  EXPECT_EQ(read_system(folder.path()).spec, full_spec());
  EXPECT_EQ(folder.num_entries(), 6U);
}

TEST(SpecFile, UnreadableFilesAreErrors) {
  const TemporaryFolder folder;
  const SpecReadResult result = read_system(folder / "absent.json");
  ASSERT_EQ(result.diagnostics.num_errors(), 1U);
  EXPECT_EQ(result.diagnostics.all()[0].file, folder / "absent.json");
  EXPECT_EQ(result.diagnostics.all()[0].found, "No such file or directory");
  EXPECT_THROW((void)read_text(folder / "absent.json"), Error);
  EXPECT_THROW((void)read_text(folder.path()), Error);
  write_file(folder / "fleet", kFullSpec);
  EXPECT_FALSE(read_system((folder / "fleet") + std::string("\0.json", 6)).ok());
}

TEST(SpecFile, DashIsStandardInput) {
  const TemporaryFolder folder;
  write_file(folder / "input", kFullSpec);
  const int saved = dup(STDIN_FILENO);
  ASSERT_NE(std::freopen((folder / "input").c_str(), "rb", stdin), nullptr);
  const SpecReadResult result = read_system("-");
  dup2(saved, STDIN_FILENO);
  close(saved);
  std::clearerr(stdin);
  EXPECT_EQ(result.diagnostics.to_text(), "");
  EXPECT_EQ(result.spec, full_spec());
}

}  // namespace
}  // namespace tonnage::test
