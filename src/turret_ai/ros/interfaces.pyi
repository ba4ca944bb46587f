# SPDX-License-Identifier: Apache-2.0
"""Types of the messages and services; made by scripts/write_interfaces, do not edit."""

from collections.abc import Sequence
from typing import Any, ClassVar

MESSAGES: dict[str, tuple[str, ...]]
SERVICES: dict[str, tuple[str, ...]]

def message(ros_type: str) -> type[Any]: ...
def service(ros_type: str) -> type[Any]: ...
def type_name(interface: type[Any]) -> str: ...

class AudioData:
    data: Any
    def __init__(
        self,
        *,
        data: Any = ...,
    ) -> None: ...

class AudioDataStamped:
    header: Header
    audio: AudioData
    def __init__(
        self,
        *,
        header: Header = ...,
        audio: AudioData = ...,
    ) -> None: ...

class AudioInfo:
    channels: int
    sample_rate: int
    sample_format: str
    bitrate: int
    coding_format: str
    def __init__(
        self,
        *,
        channels: int = ...,
        sample_rate: int = ...,
        sample_format: str = ...,
        bitrate: int = ...,
        coding_format: str = ...,
    ) -> None: ...

class Bool:
    data: bool
    def __init__(
        self,
        *,
        data: bool = ...,
    ) -> None: ...

class BoundingBox2D:
    center: Pose2D
    size_x: float
    size_y: float
    def __init__(
        self,
        *,
        center: Pose2D = ...,
        size_x: float = ...,
        size_y: float = ...,
    ) -> None: ...

class CameraInfo:
    header: Header
    height: int
    width: int
    distortion_model: str
    d: Any
    k: Any
    r: Any
    p: Any
    binning_x: int
    binning_y: int
    roi: RegionOfInterest
    def __init__(
        self,
        *,
        header: Header = ...,
        height: int = ...,
        width: int = ...,
        distortion_model: str = ...,
        d: Any = ...,
        k: Any = ...,
        r: Any = ...,
        p: Any = ...,
        binning_x: int = ...,
        binning_y: int = ...,
        roi: RegionOfInterest = ...,
    ) -> None: ...

class Clock:
    clock: Time
    def __init__(
        self,
        *,
        clock: Time = ...,
    ) -> None: ...

class ColorRGBA:
    r: float
    g: float
    b: float
    a: float
    def __init__(
        self,
        *,
        r: float = ...,
        g: float = ...,
        b: float = ...,
        a: float = ...,
    ) -> None: ...

class CompressedImage:
    header: Header
    format: str
    data: Any
    def __init__(
        self,
        *,
        header: Header = ...,
        format: str = ...,
        data: Any = ...,
    ) -> None: ...

class Detection2D:
    header: Header
    results: Sequence[ObjectHypothesisWithPose]
    bbox: BoundingBox2D
    id: str
    def __init__(
        self,
        *,
        header: Header = ...,
        results: Sequence[ObjectHypothesisWithPose] = ...,
        bbox: BoundingBox2D = ...,
        id: str = ...,
    ) -> None: ...

class Detection2DArray:
    header: Header
    detections: Sequence[Detection2D]
    def __init__(
        self,
        *,
        header: Header = ...,
        detections: Sequence[Detection2D] = ...,
    ) -> None: ...

class DiagnosticArray:
    header: Header
    status: Sequence[DiagnosticStatus]
    def __init__(
        self,
        *,
        header: Header = ...,
        status: Sequence[DiagnosticStatus] = ...,
    ) -> None: ...

class DiagnosticStatus:
    OK: ClassVar[int]
    WARN: ClassVar[int]
    ERROR: ClassVar[int]
    STALE: ClassVar[int]
    level: Any
    name: str
    message: str
    hardware_id: str
    values: Sequence[KeyValue]
    def __init__(
        self,
        *,
        level: Any = ...,
        name: str = ...,
        message: str = ...,
        hardware_id: str = ...,
        values: Sequence[KeyValue] = ...,
    ) -> None: ...

class Duration:
    sec: int
    nanosec: int
    def __init__(
        self,
        *,
        sec: int = ...,
        nanosec: int = ...,
    ) -> None: ...

class Engagement:
    AIMED: ClassVar[int]
    NOT_FOUND: ClassVar[int]
    AMBIGUOUS: ClassVar[int]
    INCOMPLETE: ClassVar[int]
    TIMEOUT: ClassVar[int]
    SUPERSEDED: ClassVar[int]
    LIMITED: ClassVar[int]
    CANCELLED: ClassVar[int]
    header: Header
    utterance_id: str
    outcome: int
    reason: str
    transcript: str
    heading: str
    tool: str
    target: str
    box: TargetBBox
    aim_yaw: float
    aim_pitch: float
    speech_seconds: float
    hear_seconds: float
    understand_seconds: float
    slew_seconds: float
    see_seconds: float
    aim_seconds: float
    total_seconds: float
    def __init__(
        self,
        *,
        header: Header = ...,
        utterance_id: str = ...,
        outcome: int = ...,
        reason: str = ...,
        transcript: str = ...,
        heading: str = ...,
        tool: str = ...,
        target: str = ...,
        box: TargetBBox = ...,
        aim_yaw: float = ...,
        aim_pitch: float = ...,
        speech_seconds: float = ...,
        hear_seconds: float = ...,
        understand_seconds: float = ...,
        slew_seconds: float = ...,
        see_seconds: float = ...,
        aim_seconds: float = ...,
        total_seconds: float = ...,
    ) -> None: ...

class Float64:
    data: float
    def __init__(
        self,
        *,
        data: float = ...,
    ) -> None: ...

class Float64MultiArray:
    layout: Any
    data: Any
    def __init__(
        self,
        *,
        layout: Any = ...,
        data: Any = ...,
    ) -> None: ...

class FloatingPointRange:
    from_value: float
    to_value: float
    step: float
    def __init__(
        self,
        *,
        from_value: float = ...,
        to_value: float = ...,
        step: float = ...,
    ) -> None: ...

class GimbalCommand:
    ABSOLUTE: ClassVar[int]
    RELATIVE: ClassVar[int]
    RATE: ClassVar[int]
    header: Header
    utterance_id: str
    mode: int
    yaw: float
    pitch: float
    yaw_rate: float
    pitch_rate: float
    valid_until: Time
    yaw_limited: bool
    pitch_limited: bool
    def __init__(
        self,
        *,
        header: Header = ...,
        utterance_id: str = ...,
        mode: int = ...,
        yaw: float = ...,
        pitch: float = ...,
        yaw_rate: float = ...,
        pitch_rate: float = ...,
        valid_until: Time = ...,
        yaw_limited: bool = ...,
        pitch_limited: bool = ...,
    ) -> None: ...

class GroundTruth:
    header: Header
    image_width: int
    image_height: int
    boxes: Sequence[TruthBox]
    def __init__(
        self,
        *,
        header: Header = ...,
        image_width: int = ...,
        image_height: int = ...,
        boxes: Sequence[TruthBox] = ...,
    ) -> None: ...

class Header:
    stamp: Time
    frame_id: str
    def __init__(
        self,
        *,
        stamp: Time = ...,
        frame_id: str = ...,
    ) -> None: ...

class Hypothesis:
    text: str
    score: float
    def __init__(
        self,
        *,
        text: str = ...,
        score: float = ...,
    ) -> None: ...

class Image:
    header: Header
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any
    def __init__(
        self,
        *,
        header: Header = ...,
        height: int = ...,
        width: int = ...,
        encoding: str = ...,
        is_bigendian: int = ...,
        step: int = ...,
        data: Any = ...,
    ) -> None: ...

class Imu:
    header: Header
    orientation: Quaternion
    orientation_covariance: Any
    angular_velocity: Vector3
    angular_velocity_covariance: Any
    linear_acceleration: Vector3
    linear_acceleration_covariance: Any
    def __init__(
        self,
        *,
        header: Header = ...,
        orientation: Quaternion = ...,
        orientation_covariance: Any = ...,
        angular_velocity: Vector3 = ...,
        angular_velocity_covariance: Any = ...,
        linear_acceleration: Vector3 = ...,
        linear_acceleration_covariance: Any = ...,
    ) -> None: ...

class Int32:
    data: int
    def __init__(
        self,
        *,
        data: int = ...,
    ) -> None: ...

class IntegerRange:
    from_value: int
    to_value: int
    step: int
    def __init__(
        self,
        *,
        from_value: int = ...,
        to_value: int = ...,
        step: int = ...,
    ) -> None: ...

class JointState:
    header: Header
    name: Sequence[str]
    position: Any
    velocity: Any
    effort: Any
    def __init__(
        self,
        *,
        header: Header = ...,
        name: Sequence[str] = ...,
        position: Any = ...,
        velocity: Any = ...,
        effort: Any = ...,
    ) -> None: ...

class KeyValue:
    key: str
    value: str
    def __init__(
        self,
        *,
        key: str = ...,
        value: str = ...,
    ) -> None: ...

class LabelInfo:
    header: Header
    class_map: Sequence[VisionClass]
    threshold: float
    def __init__(
        self,
        *,
        header: Header = ...,
        class_map: Sequence[VisionClass] = ...,
        threshold: float = ...,
    ) -> None: ...

class ListParametersResult:
    names: Sequence[str]
    prefixes: Sequence[str]
    def __init__(
        self,
        *,
        names: Sequence[str] = ...,
        prefixes: Sequence[str] = ...,
    ) -> None: ...

class Lock:
    UNLOCKED: ClassVar[int]
    LOCKED: ClassVar[int]
    COASTING: ClassVar[int]
    LOST: ClassVar[int]
    header: Header
    utterance_id: str
    state: int
    reason: str
    track_id: int
    caption: str
    yaw: float
    pitch: float
    yaw_rate: float
    pitch_rate: float
    yaw_deviation: float
    pitch_deviation: float
    width: float
    height: float
    unseen: float
    look_rate: float
    look_seconds: float
    odds: float
    def __init__(
        self,
        *,
        header: Header = ...,
        utterance_id: str = ...,
        state: int = ...,
        reason: str = ...,
        track_id: int = ...,
        caption: str = ...,
        yaw: float = ...,
        pitch: float = ...,
        yaw_rate: float = ...,
        pitch_rate: float = ...,
        yaw_deviation: float = ...,
        pitch_deviation: float = ...,
        width: float = ...,
        height: float = ...,
        unseen: float = ...,
        look_rate: float = ...,
        look_seconds: float = ...,
        odds: float = ...,
    ) -> None: ...

class Log:
    DEBUG: ClassVar[int]
    INFO: ClassVar[int]
    WARN: ClassVar[int]
    ERROR: ClassVar[int]
    FATAL: ClassVar[int]
    stamp: Time
    level: int
    name: str
    msg: str
    file: str
    function: str
    line: int
    def __init__(
        self,
        *,
        stamp: Time = ...,
        level: int = ...,
        name: str = ...,
        msg: str = ...,
        file: str = ...,
        function: str = ...,
        line: int = ...,
    ) -> None: ...

class Marker:
    ARROW: ClassVar[int]
    CUBE: ClassVar[int]
    SPHERE: ClassVar[int]
    CYLINDER: ClassVar[int]
    LINE_STRIP: ClassVar[int]
    LINE_LIST: ClassVar[int]
    CUBE_LIST: ClassVar[int]
    SPHERE_LIST: ClassVar[int]
    POINTS: ClassVar[int]
    TEXT_VIEW_FACING: ClassVar[int]
    MESH_RESOURCE: ClassVar[int]
    TRIANGLE_LIST: ClassVar[int]
    ARROW_STRIP: ClassVar[int]
    ADD: ClassVar[int]
    MODIFY: ClassVar[int]
    DELETE: ClassVar[int]
    DELETEALL: ClassVar[int]
    header: Header
    ns: str
    id: int
    type: int
    action: int
    pose: Pose
    scale: Vector3
    color: ColorRGBA
    lifetime: Duration
    frame_locked: bool
    points: Sequence[Point]
    colors: Sequence[ColorRGBA]
    texture_resource: str
    texture: CompressedImage
    uv_coordinates: Sequence[Any]
    text: str
    mesh_resource: str
    mesh_file: Any
    mesh_use_embedded_materials: bool
    def __init__(
        self,
        *,
        header: Header = ...,
        ns: str = ...,
        id: int = ...,
        type: int = ...,
        action: int = ...,
        pose: Pose = ...,
        scale: Vector3 = ...,
        color: ColorRGBA = ...,
        lifetime: Duration = ...,
        frame_locked: bool = ...,
        points: Sequence[Point] = ...,
        colors: Sequence[ColorRGBA] = ...,
        texture_resource: str = ...,
        texture: CompressedImage = ...,
        uv_coordinates: Sequence[Any] = ...,
        text: str = ...,
        mesh_resource: str = ...,
        mesh_file: Any = ...,
        mesh_use_embedded_materials: bool = ...,
    ) -> None: ...

class MarkerArray:
    markers: Sequence[Marker]
    def __init__(
        self,
        *,
        markers: Sequence[Marker] = ...,
    ) -> None: ...

class ObjectHypothesis:
    class_id: str
    score: float
    def __init__(
        self,
        *,
        class_id: str = ...,
        score: float = ...,
    ) -> None: ...

class ObjectHypothesisWithPose:
    hypothesis: ObjectHypothesis
    pose: PoseWithCovariance
    def __init__(
        self,
        *,
        hypothesis: ObjectHypothesis = ...,
        pose: PoseWithCovariance = ...,
    ) -> None: ...

class Parameter:
    name: str
    value: ParameterValue
    def __init__(
        self,
        *,
        name: str = ...,
        value: ParameterValue = ...,
    ) -> None: ...

class ParameterDescriptor:
    name: str
    type: int
    description: str
    additional_constraints: str
    read_only: bool
    dynamic_typing: bool
    floating_point_range: Sequence[FloatingPointRange]
    integer_range: Sequence[IntegerRange]
    def __init__(
        self,
        *,
        name: str = ...,
        type: int = ...,
        description: str = ...,
        additional_constraints: str = ...,
        read_only: bool = ...,
        dynamic_typing: bool = ...,
        floating_point_range: Sequence[FloatingPointRange] = ...,
        integer_range: Sequence[IntegerRange] = ...,
    ) -> None: ...

class ParameterEvent:
    stamp: Time
    node: str
    new_parameters: Sequence[Parameter]
    changed_parameters: Sequence[Parameter]
    deleted_parameters: Sequence[Parameter]
    def __init__(
        self,
        *,
        stamp: Time = ...,
        node: str = ...,
        new_parameters: Sequence[Parameter] = ...,
        changed_parameters: Sequence[Parameter] = ...,
        deleted_parameters: Sequence[Parameter] = ...,
    ) -> None: ...

class ParameterValue:
    type: int
    bool_value: bool
    integer_value: int
    double_value: float
    string_value: str
    byte_array_value: Any
    bool_array_value: Any
    integer_array_value: Any
    double_array_value: Any
    string_array_value: Sequence[str]
    def __init__(
        self,
        *,
        type: int = ...,
        bool_value: bool = ...,
        integer_value: int = ...,
        double_value: float = ...,
        string_value: str = ...,
        byte_array_value: Any = ...,
        bool_array_value: Any = ...,
        integer_array_value: Any = ...,
        double_array_value: Any = ...,
        string_array_value: Sequence[str] = ...,
    ) -> None: ...

class Point:
    x: float
    y: float
    z: float
    def __init__(
        self,
        *,
        x: float = ...,
        y: float = ...,
        z: float = ...,
    ) -> None: ...

class Point2D:
    x: float
    y: float
    def __init__(
        self,
        *,
        x: float = ...,
        y: float = ...,
    ) -> None: ...

class Pose:
    position: Point
    orientation: Quaternion
    def __init__(
        self,
        *,
        position: Point = ...,
        orientation: Quaternion = ...,
    ) -> None: ...

class Pose2D:
    position: Point2D
    theta: float
    def __init__(
        self,
        *,
        position: Point2D = ...,
        theta: float = ...,
    ) -> None: ...

class PoseStamped:
    header: Header
    pose: Pose
    def __init__(
        self,
        *,
        header: Header = ...,
        pose: Pose = ...,
    ) -> None: ...

class PoseWithCovariance:
    pose: Pose
    covariance: Any
    def __init__(
        self,
        *,
        pose: Pose = ...,
        covariance: Any = ...,
    ) -> None: ...

class Quaternion:
    x: float
    y: float
    z: float
    w: float
    def __init__(
        self,
        *,
        x: float = ...,
        y: float = ...,
        z: float = ...,
        w: float = ...,
    ) -> None: ...

class RegionOfInterest:
    x_offset: int
    y_offset: int
    height: int
    width: int
    do_rectify: bool
    def __init__(
        self,
        *,
        x_offset: int = ...,
        y_offset: int = ...,
        height: int = ...,
        width: int = ...,
        do_rectify: bool = ...,
    ) -> None: ...

class SetParametersResult:
    successful: bool
    reason: str
    def __init__(
        self,
        *,
        successful: bool = ...,
        reason: str = ...,
    ) -> None: ...

class StageState:
    UNCONFIGURED: ClassVar[int]
    INACTIVE: ClassVar[int]
    ACTIVE: ClassVar[int]
    FINALIZED: ClassVar[int]
    CONFIGURING: ClassVar[int]
    CLEANINGUP: ClassVar[int]
    SHUTTINGDOWN: ClassVar[int]
    ACTIVATING: ClassVar[int]
    DEACTIVATING: ClassVar[int]
    ERRORPROCESSING: ClassVar[int]
    header: Header
    stage: str
    node: str
    instance: int
    state: int
    reason: str
    utterances: Sequence[UtteranceState]
    def __init__(
        self,
        *,
        header: Header = ...,
        stage: str = ...,
        node: str = ...,
        instance: int = ...,
        state: int = ...,
        reason: str = ...,
        utterances: Sequence[UtteranceState] = ...,
    ) -> None: ...

class State:
    PRIMARY_STATE_UNKNOWN: ClassVar[int]
    PRIMARY_STATE_UNCONFIGURED: ClassVar[int]
    PRIMARY_STATE_INACTIVE: ClassVar[int]
    PRIMARY_STATE_ACTIVE: ClassVar[int]
    PRIMARY_STATE_FINALIZED: ClassVar[int]
    TRANSITION_STATE_CONFIGURING: ClassVar[int]
    TRANSITION_STATE_CLEANINGUP: ClassVar[int]
    TRANSITION_STATE_SHUTTINGDOWN: ClassVar[int]
    TRANSITION_STATE_ACTIVATING: ClassVar[int]
    TRANSITION_STATE_DEACTIVATING: ClassVar[int]
    TRANSITION_STATE_ERRORPROCESSING: ClassVar[int]
    id: int
    label: str
    def __init__(
        self,
        *,
        id: int = ...,
        label: str = ...,
    ) -> None: ...

class String:
    data: str
    def __init__(
        self,
        *,
        data: str = ...,
    ) -> None: ...

class TFMessage:
    transforms: Sequence[TransformStamped]
    def __init__(
        self,
        *,
        transforms: Sequence[TransformStamped] = ...,
    ) -> None: ...

class TargetBBox:
    FOUND: ClassVar[int]
    NOT_FOUND: ClassVar[int]
    AMBIGUOUS: ClassVar[int]
    header: Header
    utterance_id: str
    status: int
    caption: str
    left: float
    top: float
    width: float
    height: float
    image_width: int
    image_height: int
    detection_score: float
    match_score: float
    margin: float
    processing_time: float
    reason: str
    def __init__(
        self,
        *,
        header: Header = ...,
        utterance_id: str = ...,
        status: int = ...,
        caption: str = ...,
        left: float = ...,
        top: float = ...,
        width: float = ...,
        height: float = ...,
        image_width: int = ...,
        image_height: int = ...,
        detection_score: float = ...,
        match_score: float = ...,
        margin: float = ...,
        processing_time: float = ...,
        reason: str = ...,
    ) -> None: ...

class Time:
    sec: int
    nanosec: int
    def __init__(
        self,
        *,
        sec: int = ...,
        nanosec: int = ...,
    ) -> None: ...

class Transcript:
    FINAL: ClassVar[int]
    PARTIAL: ClassVar[int]
    EMPTY: ClassVar[int]
    header: Header
    utterance_id: str
    status: int
    text: str
    confidence: float
    alternatives: Sequence[Hypothesis]
    speech_duration: float
    processing_time: float
    reason: str
    def __init__(
        self,
        *,
        header: Header = ...,
        utterance_id: str = ...,
        status: int = ...,
        text: str = ...,
        confidence: float = ...,
        alternatives: Sequence[Hypothesis] = ...,
        speech_duration: float = ...,
        processing_time: float = ...,
        reason: str = ...,
    ) -> None: ...

class Transform:
    translation: Vector3
    rotation: Quaternion
    def __init__(
        self,
        *,
        translation: Vector3 = ...,
        rotation: Quaternion = ...,
    ) -> None: ...

class TransformStamped:
    header: Header
    child_frame_id: str
    transform: Transform
    def __init__(
        self,
        *,
        header: Header = ...,
        child_frame_id: str = ...,
        transform: Transform = ...,
    ) -> None: ...

class Transition:
    TRANSITION_CREATE: ClassVar[int]
    TRANSITION_CONFIGURE: ClassVar[int]
    TRANSITION_CLEANUP: ClassVar[int]
    TRANSITION_ACTIVATE: ClassVar[int]
    TRANSITION_DEACTIVATE: ClassVar[int]
    TRANSITION_UNCONFIGURED_SHUTDOWN: ClassVar[int]
    TRANSITION_INACTIVE_SHUTDOWN: ClassVar[int]
    TRANSITION_ACTIVE_SHUTDOWN: ClassVar[int]
    TRANSITION_DESTROY: ClassVar[int]
    TRANSITION_ON_CONFIGURE_SUCCESS: ClassVar[int]
    TRANSITION_ON_CONFIGURE_FAILURE: ClassVar[int]
    TRANSITION_ON_CONFIGURE_ERROR: ClassVar[int]
    TRANSITION_ON_CLEANUP_SUCCESS: ClassVar[int]
    TRANSITION_ON_CLEANUP_FAILURE: ClassVar[int]
    TRANSITION_ON_CLEANUP_ERROR: ClassVar[int]
    TRANSITION_ON_ACTIVATE_SUCCESS: ClassVar[int]
    TRANSITION_ON_ACTIVATE_FAILURE: ClassVar[int]
    TRANSITION_ON_ACTIVATE_ERROR: ClassVar[int]
    TRANSITION_ON_DEACTIVATE_SUCCESS: ClassVar[int]
    TRANSITION_ON_DEACTIVATE_FAILURE: ClassVar[int]
    TRANSITION_ON_DEACTIVATE_ERROR: ClassVar[int]
    TRANSITION_ON_SHUTDOWN_SUCCESS: ClassVar[int]
    TRANSITION_ON_SHUTDOWN_FAILURE: ClassVar[int]
    TRANSITION_ON_SHUTDOWN_ERROR: ClassVar[int]
    TRANSITION_ON_ERROR_SUCCESS: ClassVar[int]
    TRANSITION_ON_ERROR_FAILURE: ClassVar[int]
    TRANSITION_ON_ERROR_ERROR: ClassVar[int]
    TRANSITION_CALLBACK_SUCCESS: ClassVar[int]
    TRANSITION_CALLBACK_FAILURE: ClassVar[int]
    TRANSITION_CALLBACK_ERROR: ClassVar[int]
    id: int
    label: str
    def __init__(
        self,
        *,
        id: int = ...,
        label: str = ...,
    ) -> None: ...

class TransitionDescription:
    transition: Transition
    start_state: State
    goal_state: State
    def __init__(
        self,
        *,
        transition: Transition = ...,
        start_state: State = ...,
        goal_state: State = ...,
    ) -> None: ...

class TransitionEvent:
    timestamp: int
    transition: Transition
    start_state: State
    goal_state: State
    def __init__(
        self,
        *,
        timestamp: int = ...,
        transition: Transition = ...,
        start_state: State = ...,
        goal_state: State = ...,
    ) -> None: ...

class TruthBox:
    caption: str
    left: float
    top: float
    width: float
    height: float
    yaw: float
    pitch: float
    visible: float
    def __init__(
        self,
        *,
        caption: str = ...,
        left: float = ...,
        top: float = ...,
        width: float = ...,
        height: float = ...,
        yaw: float = ...,
        pitch: float = ...,
        visible: float = ...,
    ) -> None: ...

class TurretCommand:
    OK: ClassVar[int]
    INCOMPLETE: ClassVar[int]
    REJECTED: ClassVar[int]
    CANCELLED: ClassVar[int]
    SOURCE_NONE: ClassVar[int]
    SOURCE_RULES: ClassVar[int]
    SOURCE_REPAIR: ClassVar[int]
    SOURCE_LLM: ClassVar[int]
    header: Header
    utterance_id: str
    status: int
    partial: bool
    heading: str
    heading_confidence: float
    heading_source: int
    tool: str
    tool_confidence: float
    tool_source: int
    target: str
    target_confidence: float
    target_source: int
    transcript: str
    processing_time: float
    reason: str
    def __init__(
        self,
        *,
        header: Header = ...,
        utterance_id: str = ...,
        status: int = ...,
        partial: bool = ...,
        heading: str = ...,
        heading_confidence: float = ...,
        heading_source: int = ...,
        tool: str = ...,
        tool_confidence: float = ...,
        tool_source: int = ...,
        target: str = ...,
        target_confidence: float = ...,
        target_source: int = ...,
        transcript: str = ...,
        processing_time: float = ...,
        reason: str = ...,
    ) -> None: ...

class TurretState:
    IDLE: ClassVar[int]
    HEARD: ClassVar[int]
    SLEWING: ClassVar[int]
    SEARCHING: ClassVar[int]
    AIMING: ClassVar[int]
    FOLLOWING: ClassVar[int]
    header: Header
    utterance_id: str
    phase: int
    connected: bool
    moving: bool
    at_goal: bool
    armed: bool
    yaw_limited: bool
    pitch_limited: bool
    yaw: float
    pitch: float
    yaw_goal: float
    pitch_goal: float
    def __init__(
        self,
        *,
        header: Header = ...,
        utterance_id: str = ...,
        phase: int = ...,
        connected: bool = ...,
        moving: bool = ...,
        at_goal: bool = ...,
        armed: bool = ...,
        yaw_limited: bool = ...,
        pitch_limited: bool = ...,
        yaw: float = ...,
        pitch: float = ...,
        yaw_goal: float = ...,
        pitch_goal: float = ...,
    ) -> None: ...

class Twist:
    linear: Vector3
    angular: Vector3
    def __init__(
        self,
        *,
        linear: Vector3 = ...,
        angular: Vector3 = ...,
    ) -> None: ...

class TwistStamped:
    header: Header
    twist: Twist
    def __init__(
        self,
        *,
        header: Header = ...,
        twist: Twist = ...,
    ) -> None: ...

class UtteranceState:
    WORKING: ClassVar[int]
    WAITING: ClassVar[int]
    ENDED: ClassVar[int]
    utterance_id: str
    stamp: Time
    status: int
    def __init__(
        self,
        *,
        utterance_id: str = ...,
        stamp: Time = ...,
        status: int = ...,
    ) -> None: ...

class Vector3:
    x: float
    y: float
    z: float
    def __init__(
        self,
        *,
        x: float = ...,
        y: float = ...,
        z: float = ...,
    ) -> None: ...

class Vector3Stamped:
    header: Header
    vector: Vector3
    def __init__(
        self,
        *,
        header: Header = ...,
        vector: Vector3 = ...,
    ) -> None: ...

class VisionClass:
    class_id: int
    class_name: str
    def __init__(
        self,
        *,
        class_id: int = ...,
        class_name: str = ...,
    ) -> None: ...

class VisionInfo:
    header: Header
    method: str
    database_location: str
    database_version: int
    def __init__(
        self,
        *,
        header: Header = ...,
        method: str = ...,
        database_location: str = ...,
        database_version: int = ...,
    ) -> None: ...

class ChangeState:
    class Request:
        transition: Transition
        def __init__(
            self,
            *,
            transition: Transition = ...,
        ) -> None: ...

    class Response:
        success: bool
        def __init__(
            self,
            *,
            success: bool = ...,
        ) -> None: ...

class GetAvailableStates:
    class Request:
        def __init__(self) -> None: ...

    class Response:
        available_states: Sequence[State]
        def __init__(
            self,
            *,
            available_states: Sequence[State] = ...,
        ) -> None: ...

class GetAvailableTransitions:
    class Request:
        def __init__(self) -> None: ...

    class Response:
        available_transitions: Sequence[TransitionDescription]
        def __init__(
            self,
            *,
            available_transitions: Sequence[TransitionDescription] = ...,
        ) -> None: ...

class GetState:
    class Request:
        def __init__(self) -> None: ...

    class Response:
        current_state: State
        def __init__(
            self,
            *,
            current_state: State = ...,
        ) -> None: ...

class DescribeParameters:
    class Request:
        names: Sequence[str]
        def __init__(
            self,
            *,
            names: Sequence[str] = ...,
        ) -> None: ...

    class Response:
        descriptors: Sequence[ParameterDescriptor]
        def __init__(
            self,
            *,
            descriptors: Sequence[ParameterDescriptor] = ...,
        ) -> None: ...

class GetParameterTypes:
    class Request:
        names: Sequence[str]
        def __init__(
            self,
            *,
            names: Sequence[str] = ...,
        ) -> None: ...

    class Response:
        types: Any
        def __init__(
            self,
            *,
            types: Any = ...,
        ) -> None: ...

class GetParameters:
    class Request:
        names: Sequence[str]
        def __init__(
            self,
            *,
            names: Sequence[str] = ...,
        ) -> None: ...

    class Response:
        values: Sequence[ParameterValue]
        def __init__(
            self,
            *,
            values: Sequence[ParameterValue] = ...,
        ) -> None: ...

class ListParameters:
    class Request:
        DEPTH_RECURSIVE: ClassVar[int]
        prefixes: Sequence[str]
        depth: int
        def __init__(
            self,
            *,
            prefixes: Sequence[str] = ...,
            depth: int = ...,
        ) -> None: ...

    class Response:
        result: ListParametersResult
        def __init__(
            self,
            *,
            result: ListParametersResult = ...,
        ) -> None: ...

class SetParameters:
    class Request:
        parameters: Sequence[Parameter]
        def __init__(
            self,
            *,
            parameters: Sequence[Parameter] = ...,
        ) -> None: ...

    class Response:
        results: Sequence[SetParametersResult]
        def __init__(
            self,
            *,
            results: Sequence[SetParametersResult] = ...,
        ) -> None: ...

class SetParametersAtomically:
    class Request:
        parameters: Sequence[Parameter]
        def __init__(
            self,
            *,
            parameters: Sequence[Parameter] = ...,
        ) -> None: ...

    class Response:
        result: SetParametersResult
        def __init__(
            self,
            *,
            result: SetParametersResult = ...,
        ) -> None: ...

class Empty:
    class Request:
        def __init__(self) -> None: ...

    class Response:
        def __init__(self) -> None: ...

class SetBool:
    class Request:
        data: bool
        def __init__(
            self,
            *,
            data: bool = ...,
        ) -> None: ...

    class Response:
        success: bool
        message: str
        def __init__(
            self,
            *,
            success: bool = ...,
            message: str = ...,
        ) -> None: ...

class Trigger:
    class Request:
        def __init__(self) -> None: ...

    class Response:
        success: bool
        message: str
        def __init__(
            self,
            *,
            success: bool = ...,
            message: str = ...,
        ) -> None: ...
