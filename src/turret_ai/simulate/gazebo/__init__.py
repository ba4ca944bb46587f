"""What Gazebo is given: the turret's description and worlds made from scene descriptions."""
