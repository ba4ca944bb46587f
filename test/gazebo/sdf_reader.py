# SPDX-License-Identifier: Apache-2.0
"""Reads a world as Gazebo would and traces what the turret's camera sees in it.

It knows nothing of the generator: only SDF, OBJ, MTL and the image, from the files themselves.
"""

import math
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np


def matrix(pose):
    """A 4x4 transform of SDF's "x y z roll pitch yaw"."""
    x, y, z, roll, pitch, yaw = (float(v) for v in pose.split())
    (cr, sr), (cp, sp), (cy, sy) = ((math.cos(a), math.sin(a)) for a in (roll, pitch, yaw))
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    whole = np.eye(4)
    whole[:3, :3], whole[:3, 3] = about_z @ about_y @ about_x, (x, y, z)
    return whole


def turned(axis, angle):
    x, y, z = (float(v) for v in axis.split())
    assert (x, y, z) in ((0, 1, 0), (0, 0, 1))
    return matrix(f"0 0 0 0 {angle if y else 0} {angle if z else 0}")


class Obj:
    """An OBJ file: points, faces, texture coordinates and materials of the faces."""

    def __init__(self, file):
        points, texture, faces, coordinates, materials = [], [], [], [], []
        current = ""
        for line in file.read_text().splitlines():
            word, *rest = line.split() or [""]
            if word == "v":
                points.append([float(v) for v in rest])
            elif word == "vt":
                texture.append([float(v) for v in rest])
            elif word == "usemtl":
                current = rest[0]
            elif word == "f":
                corners = [[int(n) if n else 0 for n in part.split("/")] for part in rest]
                faces.append([c[0] - 1 for c in corners])
                coordinates.append([c[1] - 1 for c in corners])
                materials.append(current)
        self.points = np.array(points)
        self.texture = np.array(texture)
        self.faces = np.array(faces)
        self.coordinates = np.array(coordinates)
        self.materials = materials
        self.colours = {}
        library = file.with_suffix(".mtl")
        if library.exists():
            name = ""
            for line in library.read_text().splitlines():
                word, *rest = line.split() or [""]
                if word == "newmtl":
                    name = rest[0]
                    self.colours[name] = {}
                elif name:
                    self.colours[name][word] = [float(v) for v in rest]


class GazeboWorld:
    """A world file with everything that it names."""

    def __init__(self, file, models):
        self.file = Path(file)
        self.world = ElementTree.parse(file).getroot().find("world")
        include = self.world.find("include")
        name = include.findtext("uri").removeprefix("model://")
        self.turret = ElementTree.parse(models / name / "model.sdf").getroot().find("model")
        self.turret_pose = matrix(include.findtext("pose"))

    def camera_pose(self, yaw, pitch):
        """The camera's transform in the world, with the joints at these angles."""
        angles = {"gimbal_joint": yaw, "blaster_joint": pitch}
        poses = {}
        for link in self.turret.findall("link"):
            pose = link.find("pose")
            parent = pose.get("relative_to") if pose is not None else None
            here = matrix(pose.text) if pose is not None else np.eye(4)
            for joint in self.turret.findall("joint"):
                if joint.findtext("child") == link.get("name") and joint.get("name") in angles:
                    here = here @ turned(joint.findtext("axis/xyz"), angles[joint.get("name")])
            poses[link.get("name")] = poses.get(parent, self.turret_pose) @ here
        return poses["camera_link"]

    def craft(self, time_s):
        """(caption, mesh file, 4x4 transform) of every labelled thing at a simulated time."""
        found = []
        for kind in ("model", "actor"):
            for element in self.world.findall(kind):
                plugin = element.find("plugin")
                if plugin is None:
                    continue
                caption = plugin.findtext("caption")
                if kind == "model":
                    mesh = element.findtext("link/visual/geometry/mesh/uri")
                    found.append(
                        (caption, self.file.parent / mesh, matrix(element.findtext("pose")))
                    )
                    continue
                mesh = self.file.parent / element.findtext("skin/filename")
                found.append((caption, mesh, self._along(element, time_s)))
        return found

    def _along(self, actor, time_s):
        points = actor.findall("script/trajectory/waypoint")
        times = [float(p.findtext("time")) for p in points]
        poses = [matrix(p.findtext("pose")) for p in points]
        assert times[0] == 0.0 and times == sorted(set(times))
        now = time_s % times[-1]
        k = min(int(np.searchsorted(times, now, side="right")) - 1, len(times) - 2)
        share = (now - times[k]) / (times[k + 1] - times[k])
        pose = poses[k].copy()
        pose[:3, 3] += (poses[k + 1][:3, 3] - poses[k][:3, 3]) * share
        return pose

    def trace(self, yaw, pitch, time_s, width=380):
        """Colours in the shade (h, w, 3), and the captions' (left, top, right, bottom)."""
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        camera = next(s for s in self.turret.iter("sensor") if s.get("type") == "camera")
        full = int(camera.findtext("camera/image/width"))
        height = round(int(camera.findtext("camera/image/height")) * width / full)
        focal = width / 2.0 / math.tan(float(camera.findtext("camera/horizontal_fov")) / 2.0)
        eye = self.camera_pose(yaw, pitch)
        x = (width / 2.0 - np.arange(width) - 0.5) / focal
        y = (height / 2.0 - np.arange(height) - 0.5) / focal
        rays = np.ones((height, width, 3))
        rays[..., 1], rays[..., 2] = x[None, :], y[:, None]
        rays = (rays / np.linalg.norm(rays, axis=-1, keepdims=True)).reshape(-1, 3) @ eye[:3, :3].T
        origins = np.broadcast_to(eye[:3, 3], rays.shape)
        scene, sources = EmbreeScene(), []
        for name, file, pose in [("", *self._panorama()), *self.craft(time_s)]:
            obj = Obj(file)
            points = obj.points @ pose[:3, :3].T + pose[:3, 3]
            TriangleMesh(scene, points.astype(np.float32), obj.faces.astype(np.int32))
            sources.append((name, obj))
        hits = scene.run(
            np.ascontiguousarray(origins, np.float32),
            np.ascontiguousarray(rays, np.float32),
            output=1,
        )
        ambient = np.array(self.world.findtext("scene/ambient").split()[:3], float)
        image = np.zeros((height * width, 3))
        boxes = {}
        for number, (name, obj) in enumerate(sources):
            here = np.nonzero(hits["geomID"] == number)[0]
            face = hits["primID"][here]
            if not name:
                image[here] = self._texture(obj, face, hits["u"][here], hits["v"][here])
                continue
            told = [obj.colours[obj.materials[f]] for f in face]
            colour = np.array([each["Kd"] for each in told]).reshape(-1, 3)
            glow = np.array([each.get("Ke", [0.0] * 3) for each in told]).reshape(-1, 3)
            linear = colour * ambient / math.pi + glow
            image[here] = np.clip(linear, 0, 1) ** (1 / 2.2) * 255
            if len(here):
                rows, columns = np.divmod(here, width)
                boxes[name] = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        return image.reshape(height, width, 3), boxes

    def _panorama(self):
        model = next(m for m in self.world.findall("model") if m.get("name") == "panorama")
        visual = model.find("link/visual")
        image = self.file.parent / visual.findtext("material/pbr/metal/emissive_map")
        self.image = cv2.cvtColor(cv2.imread(str(image)), cv2.COLOR_BGR2RGB)
        return self.file.parent / visual.findtext("geometry/mesh/uri"), matrix(
            model.findtext("pose")
        )

    def _texture(self, obj, face, u, v):
        corners = obj.texture[obj.coordinates[face]]
        weights = np.stack([1 - u - v, u, v], 1)[..., None]
        s, t = (corners * weights).sum(1).T
        height, width = self.image.shape[:2]
        column = np.clip((s * width).astype(int), 0, width - 1)
        row = np.clip(((1.0 - t) * height).astype(int), 0, height - 1)  # OBJ counts t upwards
        return self.image[row, column]
