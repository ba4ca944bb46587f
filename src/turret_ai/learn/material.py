# SPDX-License-Identifier: Apache-2.0
"""Fetches and unpacks what training pictures are made from, out of the package registries.

`config/training_material.yaml` names packages, licences and the files that are wanted. Packages are
fetched by the ordinary clients (apt-get, npm, git), kept, and unpacked once; what can't be had is
named and the rest goes on.
"""

from __future__ import annotations

import base64
import fnmatch
import io
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml

from turret_ai import share
from turret_ai.errors import ConfigError, InputError

FOLDERS = ("models", "backgrounds", "photographs")
"""Where things go: `--craft-models`, `--backgrounds` and the photographs by airframe."""
_TIMEOUT_S = 3600.0


@dataclass(frozen=True, slots=True)
class Package:
    """A package and what is taken from it."""

    name: str
    registry: str
    licence: str
    megabytes: float
    version: str
    take: Mapping[str, Sequence[str]]
    leave: Sequence[str]
    archive: str
    members: Mapping[str, Sequence[str]]


def packages() -> list[Package]:
    """The table of packages.

    Raises:
        ConfigError: it can't be read.
    """
    path = share.path("config/training_material.yaml")
    try:
        lines: list[dict[str, Any]] = yaml.safe_load(path.read_text())["packages"]
        found = []
        for line in lines:
            members = dict(line.get("members", {}))
            archive = members.pop("archive", "")
            found.append(
                Package(
                    line["name"], line["registry"], line["licence"], line["megabytes"],
                    str(line.get("version", "")), line.get("take", {}), line.get("leave", ()),
                    archive, members,
                )
            )  # fmt: skip
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} is no table of packages: {error}") from error
    return found


def fetch(
    out: Path,
    only: Sequence[str],
    photographs: bool,
    say: Callable[[str], None],
    aircraft: bool = False,
) -> list[str]:
    """Fetch and unpack into the folders of `FOLDERS` below `out`; what is there stays.

    Args:
        only: names of packages; none: all of them.
        photographs: also clone the repository of photographs by airframe.
        aircraft: also clone the repositories of aircraft made for FlightGear, into the models.
        say: gets a line for each step.

    Returns:
        what could not be had, a line each.

    Raises:
        InputError: unknown names, or `out` can't be written.
    """
    known = packages()
    if unknown := sorted(set(only) - {p.name for p in known}):
        names = ", ".join(p.name for p in known)
        raise InputError(f"no package {', '.join(unknown)} in the table: {names}")
    try:
        (out / "packages").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out} can't be written: {error}") from error
    problems = []
    for package in known:
        if only and package.name not in only:
            continue
        done = out / "packages" / f"{_plain(package.name)}.done"
        if done.exists():
            say(f"{package.name}: there already")
            continue
        try:
            file = _file(package, out / "packages", say)
            count = _unpack(package, file, out)
            if not count:
                raise InputError("none of the files that the table names is in it")
        except (InputError, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
            problems.append(f"{package.name}: {error}")
            say(problems[-1])
            continue
        done.write_text(f"{count} files; {package.licence}\n")
        say(f"{package.name}: {count} files ({package.licence})")
    if photographs:
        try:
            say(_photographs(out))
        except InputError as error:
            problems.append(f"photographs: {error}")
    if aircraft:
        problems += _aircraft(out, say)
    return problems


def _plain(name: str) -> str:
    return name.strip("@").replace("/", "-")


def _file(package: Package, folder: Path, say: Callable[[str], None]) -> Path:
    """The package's file, fetched if it isn't there."""
    endings = {"debian": ".deb", "npm": ".tgz"}
    if package.registry not in endings:
        raise InputError(f"unknown registry {package.registry!r}")
    ending = endings[package.registry]
    pattern = f"{_plain(package.name)}[_-]*{ending}"
    if not sorted(folder.glob(pattern)):
        say(f"{package.name}: fetching {package.megabytes:g} MB")
        if package.registry == "debian":
            _run(["apt-get", "download", package.name], folder)
        else:
            _run(["npm", "pack", f"{package.name}@{package.version}"], folder)
    found = sorted(folder.glob(pattern))
    if not found:
        raise InputError(f"no {pattern} came of it")
    return found[-1]


def _run(command: list[str], folder: Path) -> None:
    if shutil.which(command[0]) is None:
        raise InputError(f"{command[0]} isn't installed")
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{' '.join(command)} took too long") from error
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise InputError(f"{' '.join(command)} failed: {''.join(last)}")


def _unpack(package: Package, file: Path, out: Path) -> int:
    count = 0
    for name, content in _members(package, file):
        if package.archive and fnmatch.fnmatchcase(name, f"*{package.archive.lstrip('*')}"):
            count += _unpack_archive(package, content, out)
            continue
        count += _keep(package, package.take, name, content, out)
    return count


def _members(package: Package, file: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Names and contents of a package's files, one after the other."""
    if package.registry == "debian":
        if shutil.which("dpkg-deb") is None:
            raise InputError("dpkg-deb isn't installed")
        process = subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", str(file)], stdout=subprocess.PIPE
        )
        stream: Any = process.stdout
        mode = "r|"
    else:
        process, stream, mode = None, file.open("rb"), "r|gz"
    with stream, tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for member in archive:
            if member.isfile() and (content := archive.extractfile(member)) is not None:
                yield f"/{member.name.lstrip('./')}", content
    if process is not None and process.wait(60):
        raise InputError(f"{file} is not a whole package")


def _unpack_archive(package: Package, content: IO[bytes], out: Path) -> int:
    """Files of a zip inside a package. A tar that is read once can't be searched: keep it aside."""
    aside = out / "packages" / f"{_plain(package.name)}.zip.partial"
    count = 0
    try:
        with aside.open("wb") as file:
            shutil.copyfileobj(content, file)
        with zipfile.ZipFile(aside) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    count += _keep(package, package.members, name, member, out)
    finally:
        aside.unlink(missing_ok=True)
    return count


def _keep(
    package: Package,
    wanted: Mapping[str, Sequence[str]],
    name: str,
    content: IO[bytes],
    out: Path,
) -> int:
    """Write a file where it belongs, if it is wanted: 1, else 0."""
    if any(fnmatch.fnmatchcase(name, p) for p in package.leave) and "models" not in wanted:
        return 0
    for folder, patterns in wanted.items():
        if not any(fnmatch.fnmatchcase(name, p) for p in patterns):
            continue
        if folder == "backgrounds":
            if any(fnmatch.fnmatchcase(name, p) for p in package.leave):
                return 0
            flat = "_".join(Path(name.lstrip("/")).parts[-4:]).replace(" ", "-")
            return _background(out / folder / f"{_plain(package.name)}_{flat}", content.read())
        target = out / folder / name.lstrip("/")
        if ".." in target.parts:
            return 0
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.read())
        return 1
    return 0


def _background(target: Path, data: bytes) -> int:
    """Write a picture in a format that OpenCV reads: game textures as PNG, wrapped HDRIs as EXR."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.name.endswith(".exr.js"):
        start = data.find(b"base64,")
        if start < 0:
            return 0
        text = data[start + 7 :].split(b"'")[0].split(b'"')[0]
        target.with_suffix("").write_bytes(base64.b64decode(text))
        return 1
    if target.suffix.lower() == ".dds":
        from PIL import Image

        try:
            picture = Image.open(io.BytesIO(data)).convert("RGB")
        except (OSError, ValueError, NotImplementedError):
            return 0
        picture.save(target.with_suffix(".png"))
        return 1
    if target.suffix.lower() not in (".jpg", ".jpeg", ".png", ".webp", ".exr", ".hdr"):
        return 0
    target.write_bytes(data)
    return 1


def _repositories(kind: str) -> dict[str, Any]:
    """What the table says of repositories: of "photographs", or of "aircraft"."""
    path = share.path("config/training_material.yaml")
    try:
        return dict(yaml.safe_load(path.read_text())[kind])
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} has no table of {kind}: {error}") from error


def _photographs(out: Path) -> str:
    table = _repositories("photographs")
    if not _clone(table["repository"], out / "photographs"):
        return "photographs: there already"
    return f"photographs: cloned ({table['licence']})"


def _aircraft(out: Path, say: Callable[[str], None]) -> list[str]:
    """Clone what isn't there; returns what could not be had."""
    table = _repositories("aircraft")
    problems = []
    names = [(o, name) for o, owned in table["repositories"].items() for name in owned]
    for owner, name in names:
        try:
            new = _clone(f"{table['base']}{owner}/{name}", out / "models" / owner / name)
            say(f"{name}: {'cloned' if new else 'there already'} ({table['licence']})")
        except InputError as error:
            problems.append(f"{name}: {error}")
    return problems


def _clone(repository: str, target: Path) -> bool:
    """Whether it was cloned now; what was cut off is begun anew."""
    if target.exists():
        return False
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    _run(["git", "clone", "--depth", "1", repository, str(partial)], target.parent)
    partial.rename(target)
    return True
