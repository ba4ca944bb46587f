# SPDX-License-Identifier: Apache-2.0
"""What Gazebo is given: the turret's description and worlds made from scene descriptions."""
