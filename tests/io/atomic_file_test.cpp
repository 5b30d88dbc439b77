// Saves replace a file whole, and leave nothing behind when they fail.
#include "tonnage/io/atomic_file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "temporary_folder.hpp"
#include "tonnage/core/error.hpp"

namespace tonnage::test {
namespace {

mode_t mode_of(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

// Expects an Error (kIo) that names the path.
void expect_failure(const std::string& path, std::string_view text) {
  try {
    write_file_atomically(path, text);
    ADD_FAILURE() << "no error for " << path;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
  }
}

TEST(AtomicFile, CreatesAndReplaces) {
  const TemporaryFolder folder;
  const std::string path = folder / "plan.json";
  write_file_atomically(path, "one");
  EXPECT_EQ(file_content(path), "one");
  write_file_atomically(path, "");
  EXPECT_EQ(file_content(path), "");
  const std::string large(3'000'000, 'x');
  write_file_atomically(path, large);
  EXPECT_EQ(file_content(path), large);
  EXPECT_EQ(folder.num_entries(), 1U);
}

TEST(AtomicFile, KeepsPermissionsAndHonoursTheUmask) {
  const TemporaryFolder folder;
  const mode_t before = umask(027);
  write_file_atomically(folder / "new", "x");
  umask(before);
  EXPECT_EQ(mode_of(folder / "new"), 0640U);
  ASSERT_EQ(chmod((folder / "new").c_str(), 0604), 0);
  write_file_atomically(folder / "new", "y");
  EXPECT_EQ(mode_of(folder / "new"), 0604U);
}

TEST(AtomicFile, WritesThroughSymbolicLinks) {
  const TemporaryFolder folder;
  write_file(folder / "target", "old");
  std::filesystem::create_symlink("target", folder / "link");
  write_file_atomically(folder / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(file_content(folder / "target"), "new");
}

TEST(AtomicFile, WritesToWhatIsNoRegularFile) {
  const TemporaryFolder folder;
  write_file_atomically("/dev/null", "text");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_EQ(folder.num_entries(), 0U);
}

TEST(AtomicFile, FailsWithoutTraceWhereNothingCanBeWritten) {
  const TemporaryFolder folder;
  expect_failure(folder / "absent/plan.json", "text");
  expect_failure(folder.path(), "text");
  EXPECT_EQ(folder.num_entries(), 0U);
}

// A limit on the size of files stands for a full disk.
TEST(AtomicFile, FailureWhileWritingLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  const std::string path = folder / "plan.json";
  write_file(path, "old");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_failure(path, std::string(5000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(file_content(path), "old");
  EXPECT_EQ(folder.num_entries(), 1U);
}

}  // namespace
}  // namespace tonnage::test
