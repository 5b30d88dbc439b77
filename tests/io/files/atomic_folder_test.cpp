// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Folders replace whole folders of their own form, at once, and nothing else.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <set>
#include <sstream>
#include <thread>

#include "child_process.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/io/atomic_file.hpp"

namespace tonnage::test {
namespace {

namespace fs = std::filesystem;

// The mark lists the files, one a line, below the word "ours".
FolderForm form() {
  return {"a sample", "mark", [](const std::string& text) {
            std::istringstream lines(text);
            std::vector<std::string> names;
            std::string line;
            if (!std::getline(lines, line) || line != "ours") return names;
            while (std::getline(lines, line)) names.push_back(line);
            return names;
          }};
}

constexpr std::string_view kMark = "ours\nmark\ndata\n";

void fill(AtomicFolder& folder, std::string_view data) {
  const int file = folder.add("data");
  folder.write_at(file, 0, data);
  folder.write_at(folder.add("mark"), 0, kMark);
}

// Writes a folder and returns the message of commit().
std::string save(const std::string& path, std::string_view data) {
  AtomicFolder folder(path, form());
  fill(folder, data);
  return folder.commit();
}

// Names in a folder, those in folders below it included, with what files hold and links say.
std::set<std::string> content(const std::string& path) {
  std::set<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    std::string line = fs::relative(entry.path(), path).string();
    if (entry.is_symlink()) {
      line += " -> " + fs::read_symlink(entry.path()).string();
    } else if (entry.is_regular_file()) {
      line += ": " + file_content(entry.path().string());
    }
    found.insert(line);
  }
  return found;
}

std::set<std::string> sample(const std::string& data) {
  return {"data: " + data, "mark: " + std::string(kMark)};
}

// Expects a refusal (kInvalidInput) that names the path and says `why`.
void expect_refusal(const std::string& path, std::string_view why,
                    const std::function<void()>& action) {
  try {
    action();
    ADD_FAILURE() << "no error for " << path;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    const std::string said = error.what();
    EXPECT_NE(said.find(path), std::string::npos) << said;
    EXPECT_NE(said.find(why), std::string::npos) << said;
  }
}

TEST(AtomicFolder, CreatesAndReplaces) {
  const TemporaryFolder folder;
  const std::string path = folder / "grid";
  EXPECT_EQ(save(path, "one"), "");
  EXPECT_EQ(content(path), sample("one"));
  EXPECT_EQ(save(path + "/", "two"), "");
  EXPECT_EQ(content(path), sample("two"));
  fs::create_directory(folder / "empty");
  EXPECT_EQ(save(folder / "empty", "three"), "");
  EXPECT_EQ(content(folder / "empty"), sample("three"));
  EXPECT_EQ(folder.num_entries(), 2U);
}

TEST(AtomicFolder, ReplacesNothingButWholeFoldersOfItsForm) {
  struct Case {
    const char* why;
    std::function<void(const std::string& path)> change;  // of a folder that is ours
  };
  const std::vector<Case> cases = {
      {"it holds \"thesis.txt\" and no mark of a sample",
       [](const std::string& path) {
         fs::remove(path + "/data");
         fs::remove(path + "/mark");
         write_file(path + "/thesis.txt", "precious");
       }},
      {"its mark is not that of a sample",
       [](const std::string& path) { write_file(path + "/mark", "{}"); }},
      {"its mark is not that of a sample",
       [](const std::string& path) { write_file(path + "/mark", std::string(3 << 20, '\n')); }},
      {"its mark is not that of a sample",
       [](const std::string& path) {  // nobody waits for its writer
         fs::remove(path + "/mark");
         mkfifo((path + "/mark").c_str(), 0666);
       }},
      {"its mark is not that of a sample",
       [](const std::string& path) {
         fs::rename(path + "/mark", path + "/../mark");
         fs::create_symlink("../mark", path + "/mark");
       }},
      {"it holds \".hidden\"",
       [](const std::string& path) { write_file(path + "/.hidden", "precious"); }},
      {"it holds \"below\"",
       [](const std::string& path) { fs::create_directory(path + "/below"); }},
      {"its \"data\" is missing", [](const std::string& path) { fs::remove(path + "/data"); }},
      {"\"data\" in it is not a regular file",
       [](const std::string& path) {
         fs::rename(path + "/data", path + "/../precious");
         fs::create_symlink("../precious", path + "/data");
       }},
      {"\"data\" in it is not a regular file",
       [](const std::string& path) {
         fs::remove(path + "/data");
         fs::create_directory(path + "/data");
         write_file(path + "/data/precious", "x");
       }},
      {"it is not a folder", [](const std::string& path) {
         fs::remove_all(path);
         write_file(path, "precious");
       }}};
  for (const Case& test : cases) {
    const TemporaryFolder folder;
    const std::string path = folder / "grid";
    ASSERT_EQ(save(path, "old"), "");
    test.change(path);
    const auto before = content(folder.path());
    expect_refusal(path, test.why, [&] { (void)save(path, "new"); });
    EXPECT_EQ(content(folder.path()), before) << test.why;
  }
}

TEST(AtomicFolder, FilesThatAppearMeanwhileAreKept) {
  const TemporaryFolder folder;
  const std::string path = folder / "grid";
  ASSERT_EQ(save(path, "old"), "");
  {
    AtomicFolder next(path, form());
    fill(next, "new");
    write_file(path + "/notes.txt", "precious");
    expect_refusal(path, "\"notes.txt\"", [&] { (void)next.commit(); });
  }
  auto expected = sample("old");
  expected.insert("notes.txt: precious");
  EXPECT_EQ(content(path), expected);
  EXPECT_EQ(folder.num_entries(), 1U);
}

TEST(AtomicFolder, RemovesOnlyItsOwnFilesWhenItIsGivenUp) {
  const TemporaryFolder folder;
  std::string temporary;
  {
    AtomicFolder next(folder / "grid", form());
    fill(next, "new");
    temporary = fs::directory_iterator(folder.path())->path().string();
    write_file(temporary + "/notes.txt", "precious");
  }
  EXPECT_EQ(content(temporary), std::set<std::string>{"notes.txt: precious"});
}

TEST(AtomicFolder, WritesThroughLinks) {
  const TemporaryFolder folder;
  ASSERT_EQ(save(folder / "grid", "old"), "");
  fs::create_symlink("grid", folder / "link");
  EXPECT_EQ(save(folder / "link", "new"), "");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(content(folder / "grid"), sample("new"));

  fs::create_symlink("fresh", folder / "dangling");
  EXPECT_EQ(save(folder / "dangling/", "new"), "");
  EXPECT_TRUE(fs::is_symlink(folder / "dangling"));
  EXPECT_EQ(content(folder / "fresh"), sample("new"));

  fs::create_symlink("loop", folder / "loop");
  EXPECT_THROW((void)save(folder / "loop", "new"), Error);
  EXPECT_TRUE(fs::is_symlink(folder / "loop"));
  EXPECT_EQ(folder.num_entries(), 5U);
}

TEST(AtomicFolder, NamesMayBeAsLongAsTheSystemAllows) {
  const TemporaryFolder folder;
  const long most = pathconf(folder.path().c_str(), _PC_NAME_MAX);
  ASSERT_GT(most, 0);
  const std::string path = folder / std::string(static_cast<std::size_t>(most), 'n');
  for (const char* data : {"one", "two"}) {
    EXPECT_EQ(save(path, data), "");
    EXPECT_EQ(content(path), sample(data));
  }
  EXPECT_THROW(AtomicFolder(path + "n", form()), Error);
  EXPECT_EQ(folder.num_entries(), 1U);
}

TEST(AtomicFolder, RefusesPathsThatEndInNoName) {
  const TemporaryFolder folder;
  for (const std::string& path : {folder / ".", folder / "..", std::string("/")}) {
    expect_refusal(path, "must end in a folder name", [&] { (void)save(path, "new"); });
  }
  EXPECT_EQ(folder.num_entries(), 0U);
}

TEST(AtomicFolder, KeepsPermissionsAndOwner) {
  const TemporaryFolder folder;
  const std::string path = folder / "grid";
  ASSERT_EQ(save(path, "old"), "");
  ASSERT_EQ(chmod(path.c_str(), 02710), 0);
  const bool may_give_away = geteuid() == 0;
  if (may_give_away) {
    ASSERT_EQ(chown(path.c_str(), kNobody, kNobody), 0);
    ASSERT_EQ(chmod(path.c_str(), 02710), 0);
  }
  ASSERT_EQ(save(path, "new"), "");
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 02710U);
  if (may_give_away) {
    EXPECT_EQ(status.st_uid, kNobody);
  }
  EXPECT_EQ(content(path), sample("new"));
}

// Whether names can be exchanged in a folder.
bool can_exchange(const TemporaryFolder& folder) {
  fs::create_directory(folder / "a");
  fs::create_directory(folder / "b");
  const bool possible = renameat2(AT_FDCWD, (folder / "a").c_str(), AT_FDCWD,
                                  (folder / "b").c_str(), RENAME_EXCHANGE) == 0;
  fs::remove(folder / "a");
  fs::remove(folder / "b");
  return possible;
}

// A process killed between two renames would leave nothing under the name; a reader that looks all
// the time sees whether there is such a moment.
TEST(AtomicFolder, ReadersAlwaysFindTheOldOrTheNewFolder) {
  const TemporaryFolder folder;
  if (!can_exchange(folder)) GTEST_SKIP() << "names cannot be exchanged on this file system";
  const std::string path = folder / "grid";
  ASSERT_EQ(save(path, "first"), "");
  std::atomic<bool> done{false};
  std::atomic<int> looks{0}, missing{0};
  std::thread reader([&] {
    while (!done) {
      struct stat status {};
      missing += stat(path.c_str(), &status) != 0;
      ++looks;
    }
  });
  for (int round = 0; round < 300; ++round) EXPECT_EQ(save(path, "next"), "");
  done = true;
  reader.join();
  EXPECT_GT(looks, 0);
  EXPECT_EQ(missing, 0) << "of " << looks << " looks";
  EXPECT_EQ(folder.num_entries(), 1U);
}

TEST(AtomicFolder, ReplacesAlsoWhereNamesCannotBeExchanged) {
  for (const int error : {EINVAL, ENOSYS}) {
    const TemporaryFolder folder;
    const std::string path = folder / "grid";
    ASSERT_EQ(save(path, "old"), "");
    fs::create_directory(folder / "empty");
    const bool possible = in_child_without(SYS_renameat2, 4, ~0U, error, [&] {
      EXPECT_FALSE(can_exchange(folder));
      EXPECT_EQ(save(path, "new"), "");
      EXPECT_EQ(save(folder / "empty", "new"), "");
      EXPECT_EQ(save(folder / "fresh", "new"), "");
    });
    if (!possible) GTEST_SKIP() << "system calls cannot be filtered here";
    for (const char* name : {"grid", "empty", "fresh"}) {
      EXPECT_EQ(content(folder / name), sample("new")) << name;
    }
    EXPECT_EQ(folder.num_entries(), 3U);
  }
}

TEST(AtomicFolder, ReportsAnOldFolderThatCannotBeRemoved) {
  const TemporaryFolder folder;
  const std::string path = folder / "grid";
  ASSERT_EQ(save(path, "old"), "");
  const bool possible = in_child_without(SYS_unlinkat, 2, AT_REMOVEDIR, EPERM, [&] {
    const std::string said = save(path, "new");
    EXPECT_NE(said.find(path), std::string::npos) << said;
    EXPECT_NE(said.find("Operation not permitted"), std::string::npos) << said;
    const auto at = said.find(folder / ".tonnage-");
    ASSERT_NE(at, std::string::npos) << said;
    EXPECT_TRUE(fs::is_directory(said.substr(at, said.find(": ", at) - at))) << said;
  });
  if (!possible) GTEST_SKIP() << "system calls cannot be filtered here";
  EXPECT_EQ(content(path), sample("new"));
  EXPECT_EQ(folder.num_entries(), 2U);
}

TEST(AtomicFolder, ReadOnlyOutputIsNotReplaced) {
  const TemporaryFolder folder;
  const std::string path = folder / "grid";
  ASSERT_EQ(save(path, "old"), "");
  ASSERT_EQ(chmod(path.c_str(), 0555), 0);
  ASSERT_EQ(chmod(folder.path().c_str(), 0777), 0);
  const bool possible = in_unprivileged_child(
      [&] { expect_refusal(path, "Permission denied", [&] { (void)save(path, "new"); }); });
  EXPECT_EQ(content(path), sample("old"));
  EXPECT_EQ(folder.num_entries(), 1U);
  ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  if (!possible) GTEST_SKIP() << "the rights of the superuser cannot be given up here";
}

}  // namespace
}  // namespace tonnage::test
