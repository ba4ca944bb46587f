# SPDX-License-Identifier: Apache-2.0
"""DJI RoboMaster EP over its plaintext SDK: the driver, and an emulator of the robot.

Degrees and the SDK's signs (yaw + clockwise, pitch + up) exist in this folder only; its public
functions speak radians in REP-103 axes.
"""
