# On ROS 2 Jazzy, as a colcon workspace. From the project's root:
#   docker build -f docker/jazzy.Dockerfile -t turret_ai:jazzy .
#   docker run --rm --network host turret_ai:jazzy ros2 launch turret_ai finals.launch.py
ARG BASE=ros:jazzy-ros-base

FROM ${BASE}
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ENV ROS_WS=/opt/turret_ai_ws \
    RMW_IMPLEMENTATION=rmw_cyclonedds_cpp
WORKDIR ${ROS_WS}
COPY package.xml src/turret_ai/
# hadolint ignore=DL3008
RUN apt-get update \
    && rosdep update --rosdistro "${ROS_DISTRO}" \
    && rosdep install --from-paths src --ignore-src --default-yes --rosdistro "${ROS_DISTRO}" \
    && apt-get install --yes --no-install-recommends python3-venv ros-jazzy-rmw-cyclonedds-cpp \
    && rm -rf /var/lib/apt/lists/*
COPY . src/turret_ai/
# The packages that rosdep has no key for go into a virtual environment that sees ROS's own.
RUN python3 -m venv --system-site-packages venv \
    && touch venv/COLCON_IGNORE \
    && venv/bin/python -m pip install --no-cache-dir -r src/turret_ai/requirements/ros.txt \
    && . "/opt/ros/${ROS_DISTRO}/setup.bash" \
    && . venv/bin/activate \
    && python -m colcon build --packages-select turret_ai \
    && rm -rf build log
COPY docker/ros_entrypoint /usr/local/bin/turret_ai_entrypoint
RUN useradd --uid 10001 --create-home turret
USER 10001:10001
WORKDIR /home/turret
ENTRYPOINT ["turret_ai_entrypoint"]
CMD ["ros2", "launch", "turret_ai", "finals.launch.py"]
