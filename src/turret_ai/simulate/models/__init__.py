"""Craft from textured models of other projects: files, textures, liveries, meshes."""
