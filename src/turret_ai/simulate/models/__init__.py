# SPDX-License-Identifier: Apache-2.0
"""Craft from textured models of other projects: files, textures, liveries, meshes."""
