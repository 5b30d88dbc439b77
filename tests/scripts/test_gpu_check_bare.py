# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""scripts/gpu-check on a bare machine: a root folder with nothing but bash and coreutils, then with
CUDA, CMake, ninja and a compiler, too, without the project's libraries, network and .git."""

import glob
import os
import pathlib
import shutil
import subprocess

from gpu_check_support import BENCHMARKS, COREUTILS, SANITIZERS, SOURCE, GpuCheckTest, Outcome, main

COMPILER = ("sh c++ g++ cc gcc cpp as ld ld.bfd ar ranlib nm objcopy objdump strip cmake ctest "
            "ninja").split()
# What of the libraries the whole build needs must not be seen.
LIBRARIES = ["/usr/lib/cmake", "/usr/lib/*/cmake", "/usr/include/nlohmann",
             "/usr/include/fmt", "/usr/include/CLI", "/usr/include/gtest", "/usr/include/coin*"]
# $1 is the root folder, the others are bound to the same place in it. AFTER runs there, too.
MAKE_ROOT = r"""
set -e
root=$1; shift
mount --make-rprivate /
for folder in "$@"; do
  [ ! -L "$folder" ] || { mkdir -p "$root${folder%/*}"; cp -d "$folder" "$root$folder"; continue; }
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
done
for folder in $HIDDEN; do
  [ ! -d "$root$folder" ] || [ -L "$root$folder" ] || mount -t tmpfs none "$root$folder"
done
status=0
enter="chroot $root /usr/bin/env -i $VARIABLES"
$enter /usr/bin/bash /tree/scripts/gpu-check $ARGUMENTS || status=$?
[ -z "$AFTER" ] || $enter $AFTER >"$root/after" 2>&1 || echo "status $?" >>"$root/after"
exit $status
"""


def namespaces():
    """The command that gives a mount namespace without network, None where none is allowed."""
    for command in (["unshare", "-m", "-n"], ["unshare", "-r", "-m", "-n"]):
        try:
            if subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/mnt"],
                              capture_output=True, check=False).returncode == 0:
                return command
        except OSError:
            return None
    return None


class Bare(GpuCheckTest):
    def setUp(self):
        super().setUp()
        self.unshare = namespaces()
        if not self.unshare:
            self.skipTest("no mount namespace of one's own is allowed here (neither root nor user "
                          "namespaces)")
        self.root = self.folder / self._testMethodName
        for folder in ("usr/bin", "tmp", "out", "etc"):
            (self.root / folder).mkdir(parents=True)
        for link in ("bin", "lib", "lib64", "sbin"):
            if not pathlib.Path("/", link).is_symlink():
                self.skipTest(f"/{link} is no link into /usr here")
            (self.root / link).symlink_to(f"usr/{link}")
        for name in ["bash", *COREUTILS]:
            self.take(name)

    def take(self, name):
        path = shutil.which(name, path="/usr/bin:/bin")
        if not path:
            self.skipTest(f"no /usr/bin/{name} here")
        shutil.copy(os.path.realpath(path), self.root / "usr" / "bin" / name)

    def run_bare(self, arguments, folders=(), after="", **variables):
        """The script in the root folder; what a command prints there after it is in root/after."""
        bound = ["/usr/lib", "/usr/lib64", "/usr/libexec", "/proc", "/dev", *folders]
        values = {"PATH": "/usr/bin", "HOME": "/nowhere", "FAULTS": "", "HANGS": "/out", **variables}
        ran = subprocess.run(
            [*self.unshare, "bash", "-c", MAKE_ROOT, "make_root", self.root,
             *[folder for folder in bound if os.path.lexists(folder)]],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=280, check=False,
            env={**os.environ, "HIDDEN": " ".join(h for p in LIBRARIES for h in glob.glob(p)),
                 "VARIABLES": " ".join(f"{k}={v}" for k, v in values.items()),
                 "ARGUMENTS": " ".join(arguments), "AFTER": after})
        return Outcome(ran.returncode, ran.stdout, 0, self.root / "out")

    def test_with_bash_and_coreutils_alone(self):
        (self.root / "usr/bin/lent").mkdir()
        for name in ("tonnage_gpu_check", "faults.sh"):
            shutil.copy(self.stand_ins / name, self.root / "usr/bin/lent")
        shutil.copytree(self.tree, self.root / "tree")
        got = self.run_bare(["--results", "/out", "--commit", "lent", "--check",
                             "/usr/bin/lent/tonnage_gpu_check"])
        self.assertTrue(got.log, got.stdout)
        self.expect_rows(got, 0, GPU_tests="left out: nothing is built",
                         **{tool: "left out: no compute-sanitizer" for tool in SANITIZERS})
        self.assertEqual(got.benchmarks(), BENCHMARKS)
        self.assertNotIn("not found", got.stdout.replace("no compute-sanitizer here", ""))

    def test_the_real_tree_configures_and_all_of_its_sources_are_there(self):
        """The build itself takes minutes: the stand-in of cmake builds, the real one configures."""
        cuda = os.path.realpath(os.environ.get("CUDA_PATH", "/usr/local/cuda"))
        if not os.access(f"{cuda}/bin/nvcc", os.X_OK):
            self.skipTest(f"no nvcc in {cuda}/bin")
        for name in COMPILER:
            self.take(name)
        shutil.copytree(self.stand_ins, self.root / "stand_ins")
        for name in ("nvcc", "nvidia-smi"):
            (self.root / "stand_ins" / name).unlink()
        shutil.copytree(SOURCE, self.root / "tree", symlinks=True,
                        ignore=shutil.ignore_patterns(".git", "out", "build*", "__pycache__"))
        got = self.run_bare(
            ["--results", "/out", "--build-dir", "/build"],
            [cuda, "/usr/include", *glob.glob("/usr/share/cmake-*"), "/etc/alternatives"],
            # ninja names a source that is missing without running anything.
            after="ninja -n -C /build/check",
            PATH="/stand_ins:/usr/bin", CUDA_PATH=cuda, REAL_CMAKE="/usr/bin/cmake",
            CCACHE_DISABLE=1)
        self.assertTrue(got.log, got.stdout)
        self.expect_rows(got, 0, GPU_tests="left out: not configured: ")
        self.assertRegex(got.rows["GPU tests"], "(?i)fmt|nlohmann|CLI11|GTest")
        self.assertIn("commit unknown", got.log)
        self.assertEqual(got.benchmarks(), BENCHMARKS)
        self.assertEqual(list((self.root / "tmp").iterdir()), [])
        dry = (self.root / "after").read_text()
        self.assertRegex(dry, "(?s)launch.cu.*Linking .* tonnage_gpu_check")
        self.assertNotIn("status", dry)


if __name__ == "__main__":
    main()
