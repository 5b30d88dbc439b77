// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Saves replace a file whole, and leave nothing behind when they fail.
#include "tonnage/io/atomic_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "child_process.hpp"
#include "tests/io/small_files.hpp"
#include "tests/io/temporary_folder.hpp"
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

TEST(AtomicFile, CreatesTheTargetOfADanglingLink) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "deep");
  std::filesystem::create_symlink("deep/second", folder / "first");
  std::filesystem::create_symlink("../target", folder / "deep/second");
  write_file_atomically(folder / "first", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "first"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "deep/second"));
  EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(folder / "target")));
  EXPECT_EQ(file_content(folder / "target"), "new");

  std::filesystem::create_symlink("absent/target", folder / "lost");
  expect_failure(folder / "lost", "text");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "lost"));
  EXPECT_EQ(folder.num_entries(), 4U);
}

TEST(AtomicFile, LinksInALoopAreAnError) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("b", folder / "a");
  std::filesystem::create_symlink("a", folder / "b");
  expect_failure(folder / "a", "text");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "a"));
  EXPECT_EQ(folder.num_entries(), 2U);
}

// The system does not follow links of other users in a shared folder (/tmp).
TEST(AtomicFile, LinksThatTheSystemDoesNotFollowAreAnError) {
  std::ifstream setting("/proc/sys/fs/protected_symlinks");
  int is_protected = 0;
  if (geteuid() != 0 || !(setting >> is_protected) || is_protected == 0) {
    GTEST_SKIP() << "needs the superuser, and a system that protects links in shared folders";
  }
  const TemporaryFolder folder;
  ASSERT_EQ(chmod(folder.path().c_str(), 01777), 0);
  for (const char* name : {"target", "absent"}) {
    const std::string link = (folder / "link-to-") + name;
    std::filesystem::create_symlink(name, link);
    ASSERT_EQ(lchown(link.c_str(), kNobody, kNobody), 0);
  }
  write_file(folder / "target", "old");
  expect_failure(folder / "link-to-target", "new");
  expect_failure(folder / "link-to-absent", "new");
  EXPECT_EQ(file_content(folder / "target"), "old");
  EXPECT_EQ(folder.num_entries(), 3U);
}

TEST(AtomicFile, NamesMayBeAsLongAsTheSystemAllows) {
  const TemporaryFolder folder;
  const long most = pathconf(folder.path().c_str(), _PC_NAME_MAX);
  ASSERT_GT(most, 100);
  for (long length = most - 20; length <= most; ++length) {
    const std::string name(static_cast<std::size_t>(length), 'n');
    write_file_atomically(folder / name, "text");
    EXPECT_EQ(file_content(folder / name), "text");
  }
  EXPECT_EQ(folder.num_entries(), 21U);
  // Refused at once, not after all the work whose result would have been written.
  EXPECT_THROW(AtomicFile(folder / std::string(static_cast<std::size_t>(most) + 1, 'n')), Error);
  EXPECT_EQ(folder.num_entries(), 21U);
}

TEST(AtomicFile, NamesWithANulByteAreRefused) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_file_atomically((folder / "plan") + std::string("\0.json", 6), "text"), Error);
  EXPECT_EQ(folder.num_entries(), 0U);
}

TEST(AtomicFile, KeepsOwnerAndGroup) {
  if (geteuid() != 0) GTEST_SKIP() << "only the superuser may give files away";
  const TemporaryFolder folder;
  const std::string path = folder / "plan.json";
  write_file(path, "old");
  ASSERT_EQ(chown(path.c_str(), kNobody, kNobody), 0);
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  write_file_atomically(path, "new");
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, kNobody);
  EXPECT_EQ(status.st_gid, kNobody);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
  EXPECT_EQ(file_content(path), "new");
}

TEST(AtomicFile, ReplacingGrantsNoNewPermissions) {
  if (geteuid() != 0) GTEST_SKIP() << "only the superuser may give files away";
  const TemporaryFolder folder;
  const std::string path = folder / "plan.json";
  write_file(path, "old");
  ASSERT_EQ(chmod(path.c_str(), 04672), 0);
  ASSERT_EQ(chmod(folder.path().c_str(), 0777), 0);
  const bool possible = in_unprivileged_child([&] { write_file_atomically(path, "new"); });
  if (!possible) GTEST_SKIP() << "the rights of the superuser cannot be given up here";
  EXPECT_EQ(file_content(path), "new");
  EXPECT_EQ(mode_of(path), 0622U);
}

TEST(AtomicFile, ReadOnlyOutputIsNotReplaced) {
  const TemporaryFolder folder;
  const std::string path = folder / "plan.json";
  write_file(path, "old");
  ASSERT_EQ(chmod(path.c_str(), 0444), 0);
  ASSERT_EQ(chmod(folder.path().c_str(), 0777), 0);
  const bool possible = in_unprivileged_child([&] { expect_failure(path, "new"); });
  EXPECT_EQ(file_content(path), "old");
  EXPECT_EQ(folder.num_entries(), 1U);
  if (!possible) GTEST_SKIP() << "the rights of the superuser cannot be given up here";
}

// As "-o /dev/stdout" in a shell that appends standard output to a file.
TEST(AtomicFile, AppendsToAnOpenFileAsItsOwnerWould) {
  const TemporaryFolder folder;
  const std::string path = folder / "log";
  write_file(path, "first\n");
  const int descriptor = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  ASSERT_GE(descriptor, 0);
  for (const char* place : {"/proc/self/fd/", "/dev/fd/"}) {
    write_file_atomically(place + std::to_string(descriptor), "next\n");
  }
  ASSERT_EQ(write(descriptor, "last\n", 5), 5);
  close(descriptor);
  EXPECT_EQ(file_content(path), "first\nnext\nnext\nlast\n");
  EXPECT_EQ(folder.num_entries(), 1U);
}

TEST(AtomicFile, WritesToPipesAndDevices) {
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

TEST(AtomicFile, FailureWhileWritingLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  const std::string path = folder / "plan.json";
  write_file(path, "old");
  {
    const SmallFiles limit(1000);
    expect_failure(path, std::string(5000, 'x'));
  }
  EXPECT_EQ(file_content(path), "old");
  EXPECT_EQ(folder.num_entries(), 1U);
}

}  // namespace
}  // namespace tonnage::test
