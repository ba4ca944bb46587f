# With CUDA 13 and TensorRT 10, for NVIDIA cards. From the project's root:
#   docker build -f docker/cuda.Dockerfile -t turret_ai:cuda .
#   docker run --rm --gpus all --read-only --tmpfs /tmp -v engines:/engines turret_ai:cuda demo
#
# The CUDA libraries come from Python wheels, so the base needs the driver's part only, which the
# NVIDIA container toolkit brings.
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml setup.py package.xml README.md LICENSE ./
COPY config config
COPY description description
COPY launch launch
COPY models models
COPY msg msg
COPY requirements requirements
COPY rviz rviz
COPY scenes scenes
COPY worlds worlds
COPY src src
# onnxruntime-gpu takes the place of onnxruntime: both hold the same module.
RUN python3 -m venv /opt/turret_ai \
    && version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])') \
    && /opt/turret_ai/bin/python -m pip install --no-cache-dir \
        --constraint "requirements/constraints-$version.txt" ".[gpu,server]" \
    && /opt/turret_ai/bin/python -m pip uninstall --yes onnxruntime \
    && /opt/turret_ai/bin/python -m pip install --no-cache-dir --no-deps onnxruntime-gpu==1.31.* \
    && find /opt/turret_ai -name __pycache__ -prune -exec rm -rf {} +

FROM ${BASE}
COPY --from=build /opt/turret_ai /opt/turret_ai
ENV PATH=/opt/turret_ai/bin:$PATH \
    HOME=/tmp \
    XDG_CACHE_HOME=/engines \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN install --directory --owner 10001 --group 10001 /engines
VOLUME /engines
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["turret-ai"]
CMD ["--help"]
