"""Run a session against real BlueZ in a throwaway virtual machine: `python -m tests.bluez.vm.run`.

The kernel's Bluetooth stack and bluetoothd are Debian's; the radio is bumble's, on /dev/vhci. The
host needs neither: packages are fetched with apt-get and unpacked into a folder, not installed, and
the guest sees the host's files, with this repository and its environment, through a read-only mount
under a layer in memory. KVM is used where it may be, else emulation.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
PACKAGES = ("linux-image-amd64", "qemu-system-x86", "seabios", "bluez", "busybox-static", "kmod")
MODULES = (
    *("virtio_pci", "9pnet_virtio", "9p", "overlay"),
    # Pairing takes random numbers and elliptic curves from the kernel.
    *("hmac", "sha256_generic", "sha512_generic", "ctr", "drbg"),
    *("cmac", "ecb", "aes_generic", "ecdh_generic"),
    *("hci_vhci", "algif_hash", "algif_skcipher", "crc16", "uhid"),
)
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")
START_LIMIT_S = 60
SESSION_LIMIT_S = 400

INIT = """#!/bin/sh
B=/bin/busybox
$B mount -t proc proc /proc
$B mount -t sysfs sys /sys
$B mount -t devtmpfs dev /dev
echo "guest: started"
for module in {modules}; do $B insmod /modules/$module || echo "guest: no $module"; done
$B mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose host /lower
$B mount -t tmpfs memory /upper
$B mkdir /upper/files /upper/work
$B mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work all /new
$B mkdir -p /new/proc /new/sys /new/dev /new/run
for place in proc sys dev; do $B mount --move /$place /new/$place; done
$B mount -t tmpfs run /new/run
export ROOT={root} PYTHON={python} REPOSITORY={repository}
exec $B switch_root /new /bin/bash {repository}/tests/bluez/vm/guest.sh
"""


def fetch(folder: Path) -> Path:
    """The unpacked packages; fetched once."""
    root, archives = folder / "root", folder / "archives"
    if (folder / "complete").exists():
        return root
    shutil.rmtree(root, ignore_errors=True)
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    options = [f"Dir::Cache::archives={archives}", "Debug::NoLocking=1", "APT::Sandbox::User="]
    command = ["apt-get", "install", "--yes", "--download-only", "--no-install-recommends"]
    # Reinstalling fetches also what this machine has, as the guest runs the unpacked files.
    command.append("--reinstall")
    for option in options:
        command += ["-o", option]
    subprocess.run([*command, *PACKAGES], check=True, stdout=subprocess.DEVNULL)
    for archive in sorted(archives.glob("*.deb")):
        subprocess.run(["dpkg", "-x", archive, root], check=True)
    # The package's own link leads to this machine's /bin.
    depmod = folder / "depmod"
    depmod.unlink(missing_ok=True)
    depmod.symlink_to(root / "bin/kmod")
    subprocess.run([depmod, "-b", root, kernel_version(root)], check=True)
    (folder / "complete").touch()
    return root


def kernel_version(root: Path) -> str:
    return max((root / "lib/modules").iterdir()).name


def module_order(root: Path) -> list[Path]:
    """The modules that the guest needs, each after those that it needs itself."""
    modules = root / "lib/modules" / kernel_version(root)
    needs: dict[str, list[str]] = {}
    paths: dict[str, str] = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        name = module_name(path)
        paths[name], needs[name] = path, [module_name(other) for other in others.split()]
    order: list[str] = []

    def add(name: str) -> None:
        for other in reversed(needs[name]):
            add(other)
        if name not in order:
            order.append(name)

    for name in MODULES:
        if name in needs:
            add(name)
    return [modules / paths[name] for name in order]


def module_name(path: str) -> str:
    return Path(path).name.partition(".")[0].replace("-", "_")


def make_initrd(folder: Path, root: Path) -> Path:
    """The files of the guest's first moments."""
    tree = folder / "initrd"
    shutil.rmtree(tree, ignore_errors=True)
    for place in ("bin", "modules", "proc", "sys", "dev", "lower", "upper", "new"):
        (tree / place).mkdir(parents=True)
    shutil.copy(root / "bin/busybox", tree / "bin/busybox")
    (tree / "bin/sh").symlink_to("busybox")
    order = module_order(root)
    for module in order:
        shutil.copy(module, tree / "modules")
    init = tree / "init"
    init.write_text(
        INIT.format(
            modules=" ".join(module.name for module in order),
            root=root,
            python=sys.executable,
            repository=REPOSITORY,
        )
    )
    init.chmod(0o755)
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    packed = subprocess.run(
        [root / "bin/busybox", "cpio", "-o", "-H", "newc"],
        input=names.encode(),
        cwd=tree,
        check=True,
        capture_output=True,
    )
    initrd = folder / "initrd.gz"
    initrd.write_bytes(gzip.compress(packed.stdout, 1))
    return initrd


def boot(root: Path, initrd: Path, *, kvm: bool) -> bool | None:
    """Run the guest; whether its session passed, None if it did not even start."""
    accelerated = ["-accel", "kvm", "-cpu", "host"] if kvm else ["-accel", "tcg", "-cpu", "max"]
    print(f"host: booting with {'KVM' if kvm else 'emulation'}", flush=True)
    libraries = ":".join(str(root / place) for place in LIBRARIES)
    guest = subprocess.Popen(
        [
            f"{root}/usr/bin/qemu-system-x86_64",
            *accelerated,
            *("-L", f"{root}/usr/share/qemu", "-L", f"{root}/usr/share/seabios"),
            *("-smp", "2", "-m", "768", "-nodefaults", "-no-user-config", "-no-reboot"),
            *("-display", "none", "-serial", "stdio", "-nic", "none"),
            *("-kernel", f"{root}/boot/vmlinuz-{kernel_version(root)}", "-initrd", str(initrd)),
            *("-append", "console=ttyS0 quiet panic=-1 loglevel=3"),
            "-virtfs",
            "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
        ],
        env={**os.environ, "LD_LIBRARY_PATH": libraries},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    said: list[str] = []
    limit = threading.Timer(START_LIMIT_S, guest.kill)
    limit.start()
    assert guest.stdout is not None
    try:
        for line in guest.stdout:
            if line.startswith("guest: started"):
                limit.cancel()
                limit = threading.Timer(SESSION_LIMIT_S, guest.kill)
                limit.start()
            print(line.rstrip(), flush=True)
            said.append(line)
    finally:
        limit.cancel()
        guest.kill()
        guest.wait()
    if not any(line.startswith("guest:") for line in said):
        return None
    return any(line.startswith("guest: session ended with status 0") for line in said)


def has_kvm() -> bool:
    return os.access("/dev/kvm", os.R_OK | os.W_OK)


def why_slow(folder: Path) -> str | None:
    """What this machine lacks for it to be quick; None if nothing."""
    if not has_kvm():
        return "as /dev/kvm is not there to be used (`make test-bluez` emulates, in nine minutes)"
    if not (folder / "complete").exists():
        return f"as its packages are not in {folder} (`make test-bluez` fetches 600 MB, once)"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    parser.add_argument(
        "--folder", type=Path, default=cache / "forceband-vm", help="packages, 600 MB; kept"
    )
    parser.add_argument(
        "--emulate", action="store_true", help="do without KVM, which does not work everywhere"
    )
    parser.add_argument(
        "--if-quick",
        action="store_true",
        help="only with KVM and the packages at hand; else say why not",
    )
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    if arguments.if_quick and (reason := why_slow(folder)):
        print(f"not run here: a session over real BlueZ in a virtual machine, {reason}")
        return 0
    if sys.platform != "linux" or shutil.which("apt-get") is None:
        print("host: needs Linux on x86-64 with apt-get", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    root = fetch(folder)
    kvm = has_kvm() and not arguments.emulate
    initrd = make_initrd(folder, root)
    passed = boot(root, initrd, kvm=kvm)
    if passed is None and kvm and arguments.if_quick:
        print("not run here: a session over real BlueZ in a virtual machine, as KVM does not work")
        return 0
    if passed is None and kvm:
        print("host: KVM does not work here", flush=True)
        passed = boot(root, initrd, kvm=False)
    print(f"host: {'passed' if passed else 'failed'}", flush=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
