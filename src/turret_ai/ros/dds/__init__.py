# SPDX-License-Identifier: Apache-2.0
"""The plain runtime: ROS 2's wire format over Eclipse Cyclone DDS, without ROS."""
