"""The Rust kernels' tests under AVX-512 on a CPU that has none: Linux in Bochs, an emulator.

It says nothing of speed, and has no SHA extensions. Needs a few of Debian's packages, which it
names, and takes three minutes, most of them the compiler's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "partsum-dev"
PACKAGES = "bochs bochs-term grub-pc-bin xorriso mtools cpio"
TOOLS = ("bochs-bin", "grub-mkrescue", "xorriso", "mformat", "cpio", "cc", "dpkg-deb")
TARGET = "x86_64-unknown-linux-gnu"
LIMIT = 1800  # seconds

# Bochs has its own idea of XSAVE's compact form, so Linux is kept from using it.
KERNEL_ARGUMENTS = (
    "console=ttyS0 quiet mitigations=off split_lock_detect=off nopku lpj=1000000 lsm=none audit=0 "
    "clearcpuid=xsavec,xsaves,pku,ospke maxcpus=1 no_timer_check random.trust_cpu=on"
)
GRUB = f"""set timeout=0
menuentry tests {{
linux /boot/vmlinuz {KERNEL_ARGUMENTS}
initrd /boot/initrd
}}
"""
BOCHS = """cpu: model=corei7_skylake_x, count=1, ips=40000000, reset_on_triple_fault=0
memory: guest=512, host=512
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path={image}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={serial}
display_library: rfb, options="timeout=0"
sound: driver=dummy, waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
speaker: enabled=0
log: {log}
panic: action=fatal
clock: sync=none
"""


def run(*command: str | Path, **options: object) -> None:
    """Run a command that must succeed."""
    subprocess.run(command, check=True, **options)  # type: ignore[call-overload]


def built_tests() -> Path:
    """Build the unit tests as one static program, and find it."""
    command = ["cargo", "test", "--locked", "--release", "--lib", "--no-run", "--target", TARGET]
    settings = ["--config", 'profile.release.lto="off"', "--message-format", "json"]
    built = subprocess.run(
        [*command, *settings],
        cwd=ROOT,
        env=os.environ
        | {
            "RUSTFLAGS": "-C target-feature=+crt-static",
            "CARGO_TARGET_DIR": str(ROOT / "target/emulator"),
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    messages = map(json.loads, built.stdout.splitlines())
    programs = [message["executable"] for message in messages if message.get("executable")]
    return Path(programs[-1])


def kernel() -> Path:
    """Debian's kernel for virtual machines, downloaded once and not installed."""
    cached = CACHE / "vmlinuz"
    if not cached.exists():
        with tempfile.TemporaryDirectory() as folder:
            depends = subprocess.run(
                ["apt-cache", "depends", "linux-image-cloud-amd64"],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            [package] = [
                word for word in depends.stdout.split() if word.startswith("linux-image-6")
            ]
            run("apt-get", "download", package, cwd=folder)
            [archive] = Path(folder).glob("*.deb")
            run("dpkg-deb", "-x", archive, folder)
            [image] = Path(folder, "boot").glob("vmlinuz-*")
            CACHE.mkdir(parents=True, exist_ok=True)
            shutil.copy(image, cached)
    return cached


def image(folder: Path, tests: Path) -> Path:
    """Make a CD that boots into the tests."""
    root, boot = folder / "root", folder / "cd/boot"
    for place in ("proc", "sys", "dev", "tmp"):
        (root / place).mkdir(parents=True)
    (boot / "grub").mkdir(parents=True)
    run("cc", "-O1", "-static", "-o", root / "init", HERE / "init.c")
    run("strip", "-o", root / "tests", tests)
    with (boot / "initrd").open("wb") as archive:
        names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
        run(
            "cpio",
            "-o",
            "-H",
            "newc",
            "--quiet",
            cwd=root,
            input=names.encode(),
            stdout=archive,
        )
    shutil.copy(kernel(), boot / "vmlinuz")
    (boot / "grub/grub.cfg").write_text(GRUB)
    run("grub-mkrescue", "-o", folder / "cd.iso", folder / "cd", stderr=subprocess.DEVNULL)
    return folder / "cd.iso"


def emulate(folder: Path, cd: Path) -> str:
    """Boot it, and wait for what the tests print; power off is an error to the emulator."""
    serial, settings = folder / "serial", folder / "bochsrc"
    settings.write_text(BOCHS.format(image=cd, serial=serial, log=folder / "log"))
    with subprocess.Popen(
        ["bochs-bin", "-q", "-f", settings],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as emulator:
        assert emulator.stdin
        try:
            emulator.stdin.write(b"c\n")  # its debugger waits for "continue"
            emulator.stdin.flush()
            end = time.monotonic() + LIMIT
            while time.monotonic() < end and emulator.poll() is None:
                time.sleep(1)
                if serial.exists() and b"\nended with" in serial.read_bytes():
                    break
        finally:
            emulator.kill()
    return serial.read_text(errors="replace") if serial.exists() else "it did not boot"


def main() -> int:
    """Exit with 0 if all tests passed under AVX-512."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print(f"missing {', '.join(missing)}: apt-get install {PACKAGES}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="partsum-emulator-") as name:
        folder = Path(name)
        said = emulate(folder, image(folder, built_tests()))
    print(said)
    return 0 if "ended with 0\n" in said.replace("\r", "") and "test result: ok" in said else 1


if __name__ == "__main__":
    sys.exit(main())
