# SPDX-License-Identifier: Apache-2.0
"""Whether this machine can render without a display: EGL devices that give an OpenGL 3.3 context.

Gazebo's renderer needs exactly that (ogre2 over EGL). Constants: Khronos' egl.h and eglext.h,
https://registry.khronos.org/EGL/. `python -m turret_ai.graph.egl` prints what it finds as JSON;
`devices` runs that in a process of its own, since a broken driver may take its process with it.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

PROBE_SECONDS = 20.0

_EGL_PLATFORM_DEVICE_EXT = 0x313F
_EGL_EXTENSIONS, _EGL_VENDOR = 0x3055, 0x3053
_EGL_OPENGL_API = 0x30A2
_EGL_SURFACE_TYPE, _EGL_PBUFFER_BIT = 0x3033, 0x0001
_EGL_RENDERABLE_TYPE, _EGL_OPENGL_BIT = 0x3040, 0x0008
_EGL_CONTEXT_MAJOR_VERSION, _EGL_CONTEXT_MINOR_VERSION = 0x3098, 0x30FB
_EGL_NONE = 0x3038


@dataclass(frozen=True, slots=True)
class Device:
    """One EGL device. software: drawn by the processor. usable: an OpenGL 3.3 context was made."""

    vendor: str
    software: bool
    usable: bool


def devices(timeout: float = PROBE_SECONDS) -> tuple[list[Device], str]:
    """The devices of this machine.

    Returns:
        (devices, reason): without devices, the reason says why, else it is "".
    """
    command = [sys.executable, "-m", "turret_ai.graph.egl"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return [], f"the EGL driver did not answer within {timeout:.0f} s"
    except OSError as error:
        return [], f"the EGL probe did not start: {error}"
    if done.returncode < 0:
        return [], f"the EGL driver crashed (signal {-done.returncode})"
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1])
        found = [Device(**each) for each in answer["devices"]]
        return found, str(answer["reason"])
    except (ValueError, KeyError, TypeError, IndexError):
        last = done.stderr.strip().splitlines()[-1:] or ["no output"]
        return [], f"the EGL probe failed: {last[0]}"


def probe() -> tuple[list[Device], str]:
    """Ask EGL within this process."""
    name = ctypes.util.find_library("EGL")
    if name is None:
        return [], "libEGL is not installed"
    try:
        egl = ctypes.CDLL(name)
    except OSError as error:
        return [], f"libEGL can't be loaded: {error}"
    egl.eglGetProcAddress.restype = ctypes.c_void_p
    query = _function(egl, "eglQueryDevicesEXT", ctypes.c_uint)
    display_of = _function(egl, "eglGetPlatformDisplayEXT", ctypes.c_void_p)
    describe = _function(egl, "eglQueryDeviceStringEXT", ctypes.c_char_p)
    if query is None or display_of is None:
        return [], "this libEGL can't list devices (EGL_EXT_device_enumeration)"
    handles = (ctypes.c_void_p * 32)()
    count = ctypes.c_int(0)
    if not query(32, handles, ctypes.byref(count)) or not count.value:
        return [], "EGL knows no device"
    found = []
    for handle in handles[: count.value]:
        extensions = b""
        if describe is not None:
            extensions = describe(ctypes.c_void_p(handle), _EGL_EXTENSIONS) or b""
        vendor, usable = _try_device(egl, display_of, handle)
        software = b"software" in extensions
        found.append(Device(vendor, software, usable))
    return found, ""


def _function(egl: ctypes.CDLL, name: str, result: Any) -> Any:
    address = egl.eglGetProcAddress(name.encode())
    if not address:
        return None
    return ctypes.CFUNCTYPE(result, *_ARGUMENTS[name])(address)


_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "eglQueryDevicesEXT": (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p),
    "eglGetPlatformDisplayEXT": (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p),
    "eglQueryDeviceStringEXT": (ctypes.c_void_p, ctypes.c_int),
}


def _try_device(egl: ctypes.CDLL, display_of: Any, handle: Any) -> tuple[str, bool]:
    """(vendor, whether an OpenGL 3.3 context can be made)."""
    display = display_of(_EGL_PLATFORM_DEVICE_EXT, handle, None)
    if not display:
        return "unknown", False
    screen = ctypes.c_void_p(display)
    if not egl.eglInitialize(screen, None, None):
        return "unknown", False
    egl.eglQueryString.restype = ctypes.c_char_p
    vendor = (egl.eglQueryString(screen, _EGL_VENDOR) or b"unknown").decode(errors="replace")
    usable = False
    wanted = _integers(
        _EGL_SURFACE_TYPE, _EGL_PBUFFER_BIT, _EGL_RENDERABLE_TYPE, _EGL_OPENGL_BIT, _EGL_NONE
    )
    config, count = ctypes.c_void_p(), ctypes.c_int(0)
    if egl.eglBindAPI(_EGL_OPENGL_API) and egl.eglChooseConfig(
        screen, wanted, ctypes.byref(config), 1, ctypes.byref(count)
    ):
        version = _integers(_EGL_CONTEXT_MAJOR_VERSION, 3, _EGL_CONTEXT_MINOR_VERSION, 3, _EGL_NONE)
        egl.eglCreateContext.restype = ctypes.c_void_p
        context = egl.eglCreateContext(screen, config, None, version) if count.value else None
        if context:
            usable = True
            egl.eglDestroyContext(screen, ctypes.c_void_p(context))
    egl.eglTerminate(screen)
    return vendor, usable


def _integers(*values: int) -> Any:
    return (ctypes.c_int * len(values))(*values)


if __name__ == "__main__":
    all_devices, why = probe()
    print(json.dumps({"devices": [asdict(each) for each in all_devices], "reason": why}))
