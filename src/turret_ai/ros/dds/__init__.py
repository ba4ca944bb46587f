"""The plain runtime: ROS 2's wire format over Eclipse Cyclone DDS, without ROS."""
