"""Lets PyPI's CUDA build of torch import and run on a machine without CUDA.

usage: python torch_without_cuda.py SITE_PACKAGES

The wheel links against a few gigabytes of nvidia libraries. On a CPU none of their functions is called, so an empty library of the same
soname, exporting the same (versioned) symbols, is enough for the loader. The stubs go into torch/lib, where the wheel's RPATH looks first.
"""

import collections
import pathlib
import re
import subprocess
import sys
import tempfile

MARK = b"cuda_stub_"


def is_stub(path):
    return path.stat().st_size < 400_000 and MARK in path.read_bytes()


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout


def survey(libraries):
    """The sonames that `libraries` need, the symbols they define and lack, and which soname each symbol version comes from."""
    needed, defined, undefined, sonames_of_version = set(), set(), set(), collections.defaultdict(set)
    for library in libraries:
        needed |= set(re.findall(r"NEEDED.*\[(.*?)\]", output_of("readelf", "-d", str(library))))
        soname = None
        for line in output_of("readelf", "-VW", str(library)).splitlines():
            file, version = re.search(r"File: (\S+)", line), re.search(r"Name: (\S+)\s+Flags", line)
            if file:
                soname = file.group(1)
            elif version and soname:
                sonames_of_version[version.group(1)].add(soname)
        for line in output_of("nm", "-D", str(library)).splitlines():
            symbol = re.match(r"^\s*(?:[0-9a-f]+\s+)?([A-Za-z])\s+(\S+)$", line)
            if symbol:
                (undefined if symbol.group(1) in "Uw" else defined).add(symbol.group(2))
    return needed, {name.split("@")[0] for name in defined}, undefined, sonames_of_version


def body(symbol):
    """What a stub function answers: names for the functions that return text, otherwise error 35 (the driver is too old)."""
    if re.search("(String|Name)$", symbol):
        return f'const char *{symbol}(void) {{ return "cuda stub"; }}'
    if symbol.startswith("cudaStreamIsCapturing"):
        return f"int {symbol}(void *stream, int *status) {{ *status = 0; return 0; }}"
    return f"long {symbol}(void) {{ return 35; }}"


def main(site_packages):
    folder = site_packages / "torch" / "lib"
    for path in folder.glob("*.so*"):
        if is_stub(path):
            path.unlink()
    libraries = [*folder.glob("*.so*"), *(site_packages / "torch").glob("_C*.so")]
    present = {path.name for path in libraries}
    needed, defined, undefined, sonames_of_version = survey(libraries)
    missing = sorted(name for name in needed if re.match(r"lib(cu|nv|nccl)", name) and name not in present)
    if not missing:
        return
    home = next((name for name in missing if name.startswith("libcudart")), missing[0])
    plan = {soname: collections.defaultdict(set) for soname in missing}
    for reference in undefined:
        symbol, _, version = reference.replace("@@", "@").partition("@")
        if version:
            for soname in sonames_of_version[version] & plan.keys():
                plan[soname][version].add(symbol)
        elif symbol not in defined and re.match(r"(cu[A-Z_a-z]|nccl|nvrtc|nvshmem|__cuda|nvJit)", symbol):
            plan[home][""].add(symbol)
    with tempfile.TemporaryDirectory() as scratch:
        source, versions = pathlib.Path(scratch, "stub.c"), pathlib.Path(scratch, "versions.map")
        for soname, by_version in plan.items():
            symbols = sorted(set().union(*by_version.values())) if by_version else []
            source.write_text("\n".join([f'const char cuda_stub_[] = "{MARK.decode()}";', *map(body, symbols)]))
            command = ["gcc", "-w", "-shared", "-fPIC", "-fno-builtin", "-o", str(folder / soname), f"-Wl,-soname,{soname}", str(source)]
            if any(by_version):
                nodes = (
                    f"{version} {{ global: {' '.join(s + ';' for s in sorted(names))} }};"
                    for version, names in by_version.items()
                    if version
                )
                versions.write_text("\n".join(nodes) + "\n")
                command.insert(1, f"-Wl,--version-script={versions}")
            subprocess.check_call(command)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
