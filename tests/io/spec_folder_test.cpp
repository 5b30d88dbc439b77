// Folders of six files, single files and standard input.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "spec_text.hpp"
#include "temporary_folder.hpp"
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

TEST(SpecFile, UnreadableFilesAreErrors) {
  const TemporaryFolder folder;
  const SpecReadResult result = read_system(folder / "absent.json");
  ASSERT_EQ(result.diagnostics.num_errors(), 1U);
  EXPECT_EQ(result.diagnostics.all()[0].file, folder / "absent.json");
  EXPECT_EQ(result.diagnostics.all()[0].found, "No such file or directory");
  EXPECT_THROW((void)read_text(folder / "absent.json"), Error);
  EXPECT_THROW((void)read_text(folder.path()), Error);
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
