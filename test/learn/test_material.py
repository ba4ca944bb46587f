# SPDX-License-Identifier: Apache-2.0
"""Material out of packages: what is wanted is unpacked once, what can't be had is named."""

import base64
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from turret_ai.errors import InputError
from turret_ai.learn import material
from turret_ai.simulate.models import catalogue


def picture(kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(out, kind)
    return out.getvalue()


def tarball(path: Path, files: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def package(**changes: object) -> material.Package:
    fields: dict[str, object] = {
        "name": "@some/assets", "registry": "npm", "licence": "CC0", "megabytes": 1.0,
        "version": "1.0.0", "take": {}, "leave": (), "archive": "", "members": {},
    }  # fmt: skip
    return material.Package(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def table(monkeypatch):
    """Makes the table hold one package."""

    def put(one: material.Package) -> None:
        monkeypatch.setattr(material, "packages", lambda: [one])

    return put


def test_the_table_is_whole():
    for each in material.packages():
        assert each.licence
        assert each.registry in ("debian", "npm")
        assert set(each.take) | set(each.members) <= set(material.FOLDERS)
        assert each.take or each.archive


def test_wanted_files_go_to_their_folders_and_pictures_are_converted(tmp_path, table):
    files = {
        "package/hdri/sky.exr.js": b"export default 'data:application/exr;base64,"
        + base64.b64encode(b"an exr")
        + b"'",
        "package/hdri/studio.exr.js": b"export default 'data:application/exr;base64,aaaa'",
        "package/skies/front.dds": picture("DDS"),
        "package/skies/broken.dds": b"no picture",
        "package/models/a.ac": b"AC3Db",
        "package/other.txt": b"x",
    }
    tarball(tmp_path / "packages" / "some-assets-1.0.0.tgz", files)
    table(
        package(take={"models": ["*.ac"], "backgrounds": ["*.exr.js", "*.dds"]}, leave=["*studio*"])
    )
    said: list[str] = []
    assert material.fetch(tmp_path, [], False, said.append) == []
    found = sorted(p.name for p in (tmp_path / "backgrounds").iterdir())
    assert found == ["some-assets_package_hdri_sky.exr", "some-assets_package_skies_front.png"]
    assert (tmp_path / "backgrounds" / found[0]).read_bytes() == b"an exr"
    assert (tmp_path / "models" / "package" / "models" / "a.ac").is_file()
    assert "3 files (CC0)" in said[-1]
    material.fetch(tmp_path, [], False, said.append)
    assert said[-1].endswith("there already")


def test_an_archive_inside_a_package_is_searched(tmp_path, table):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("art/skies/front.png", picture())
        archive.writestr("../../outside.png", picture())
    tarball(tmp_path / "packages" / "some-assets-1.0.0.tgz", {"mods/public.zip": inner.getvalue()})
    table(package(archive="*/public.zip", members={"backgrounds": ["*.png"]}))
    assert material.fetch(tmp_path, [], False, print) == []
    assert len(list((tmp_path / "backgrounds").iterdir())) == 2
    assert not list(tmp_path.parent.glob("outside*"))
    assert not list((tmp_path / "packages").glob("*.partial"))


def test_a_broken_package_and_one_without_the_files_are_named_and_tried_again(tmp_path, table):
    file = tmp_path / "packages" / "some-assets-1.0.0.tgz"
    file.parent.mkdir()
    file.write_bytes(b"broken")
    table(package(take={"models": ["*.ac"]}))
    (problem,) = material.fetch(tmp_path, [], False, print)
    assert "@some/assets" in problem
    tarball(file, {"x": b"y"})
    (problem,) = material.fetch(tmp_path, [], False, print)
    assert "none of the files" in problem
    tarball(file, {"x.ac": b"y"})
    assert material.fetch(tmp_path, [], False, print) == []


def test_a_registry_that_can_t_be_reached_is_named(tmp_path, table, monkeypatch):
    table(package(take={"models": ["*.ac"]}))
    monkeypatch.setenv("PATH", str(tmp_path))
    (problem,) = material.fetch(tmp_path, [], False, print)
    assert "npm isn't installed" in problem
    with pytest.raises(InputError, match="no package nothing"):
        material.fetch(tmp_path, ["nothing"], False, print)


def test_repositories_of_aircraft_are_cloned_once_and_what_fails_is_named(tmp_path, monkeypatch):
    source = tmp_path / "source" / "FGMEMBERS" / "Pup"
    (source / "Models").mkdir(parents=True)
    (source / "Models" / "pup.ac").write_text("AC3Db")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(source)]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], check=True)
    table = {
        "base": f"file://{tmp_path / 'source'}/",
        "licence": "GPL-2+",
        "repositories": {"FGMEMBERS": ["Pup"], "Other": ["None"]},
    }
    monkeypatch.setattr(material, "_repositories", lambda kind: table)
    monkeypatch.setattr(material, "packages", list)
    said: list[str] = []
    (problem,) = material.fetch(tmp_path / "out", [], False, said.append, aircraft=True)
    assert problem.startswith("None: git clone")
    assert (tmp_path / "out" / "models" / "FGMEMBERS" / "Pup" / "Models" / "pup.ac").is_file()
    material.fetch(tmp_path / "out", [], False, said.append, aircraft=True)
    assert said == ["Pup: cloned (GPL-2+)", "Pup: there already (GPL-2+)"]


def test_every_repository_of_the_table_has_a_model_in_the_table_of_craft():
    patterns = [f for kind in catalogue.kinds() for f in kind.files]
    whole = (  # known by the names of their files alone
        "Citation", "dhc2", "Dromader", "ercoupe", "Lionceau", "PC-12", "Velocity-XL",
    )  # fmt: skip
    owners = material._repositories("aircraft")["repositories"]
    for name in [name for owned in owners.values() for name in owned]:
        assert name in whole or any(f.startswith(f"{name}/") for f in patterns), name
