# SPDX-License-Identifier: Apache-2.0
"""Publishers and subscriptions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from cyclonedds.core import (
    DDSException,
    DDSStatus,
    InstanceState,
    Policy,
    ReadCondition,
    SampleState,
    ViewState,
)
from cyclonedds.pub import DataWriter
from cyclonedds.sub import DataReader

from turret_ai.errors import InputError
from turret_ai.ros.dds import messages
from turret_ai.ros.dds.idl import sample
from turret_ai.ros.dds.qos import POLICY_NAMES, QoSProfile, to_dds

if TYPE_CHECKING:
    from turret_ai.ros.dds.context import Context
    from turret_ai.ros.dds.logger import Logger

_ANY = SampleState.Any | ViewState.Any | InstanceState.Any
_TAKE = 32
"""Samples taken at once, so that one busy topic doesn't starve the others."""
_QUIET_S = 5.0
"""Seconds for which a repeated complaint is kept back."""


def user_data(ros_type: str, extra: str = "") -> str:
    """What ROS writes beside an endpoint; `ros2 topic info -v` shows the hash."""
    return f"{extra}typehash={messages.type_hash(ros_type)};"


def parse_user_data(policies: Iterable[Policy] | None) -> dict[str, str]:
    """ "key=value;" pairs of an endpoint or participant."""
    for policy in policies or ():
        if isinstance(policy, Policy.Userdata):
            text = bytes(policy.data).decode("latin1")
            return dict(pair.split("=", 1) for pair in text.split(";") if "=" in pair)
    return {}


class Endpoint:
    """A reader or writer, with its place in the graph and its complaints."""

    def __init__(self, context: Context, logger: Logger, dds_name: str, ros_type: str) -> None:
        self.context, self.logger = context, logger
        self.dds_name, self.ros_type = dds_name, ros_type
        self.entity: Any = None
        self.closed = False
        self._status_key = 0
        self._quiet_until: dict[str, float] = {}

    @property
    def label(self) -> str:
        """The ROS name of the topic or service, for messages."""
        return "/" + self.dds_name.partition("/")[2]

    @property
    def gid(self) -> bytes:
        """The endpoint's 16 bytes in the graph."""
        guid: bytes = self.entity.get_guid().bytes
        return guid

    def _watch_status(self, mask: int) -> None:
        self.entity.set_status_mask(mask)
        self._status_key = self.context.watch(self.entity, self._on_status)

    def _on_status(self) -> None:
        raise NotImplementedError

    def complain(self, kind: str, text: str) -> None:
        """A warning, at most every few seconds for one kind."""
        now = time.monotonic()
        if now >= self._quiet_until.get(kind, 0.0):
            self._quiet_until[kind] = now + _QUIET_S
            self.logger.warning(text)

    def close(self) -> None:
        """Leave the topic."""
        if self.closed:
            return
        self.closed = True
        if self._status_key:
            self.context.unwatch(self.entity, self._status_key)
        self.entity.__del__()


class Writer(Endpoint):
    """Sends messages as CDR."""

    def __init__(
        self,
        context: Context,
        logger: Logger,
        dds_name: str,
        ros_type: str,
        profile: QoSProfile,
        service: bool = False,
        extra: str = "",
    ) -> None:
        super().__init__(context, logger, dds_name, ros_type)
        topic = context.topic(dds_name, ros_type, service)
        self._struct = topic.data_type
        self.entity = DataWriter(
            context.participant, topic, qos=to_dds(profile, user_data(ros_type, extra))
        )
        self._watch_status(DDSStatus.OfferedIncompatibleQos | DDSStatus.OfferedDeadlineMissed)

    def write(self, message: Any, header: bytes = b"") -> bool:
        """Send; False if it was given up because a reliable reader lags behind.

        header: the 16 bytes of a service's sample.

        Raises:
            TypeError: the message is of another type, or a field's value doesn't fit.
        """
        if self.closed:
            return False
        raw = bytes(messages.to_cdr(message, self.ros_type))
        if header:
            raw = raw[:4] + header + raw[4:]
        return self.write_raw(raw)

    def write_raw(self, raw: bytes) -> bool:
        """Send what is CDR already, with its four bytes of encapsulation; see `write`."""
        if self.closed:
            return False
        try:
            self.entity.write(sample(self._struct, raw))
        except DDSException as error:
            if self.closed or self.context.closed:
                return False
            if error.code == DDSException.DDS_RETCODE_TIMEOUT:
                self.complain(
                    "slow", f"{self.label}: a reliable subscriber lags behind, messages are dropped"
                )
                return False
            self.complain("failed", f"{self.label}: could not be sent: {error}")
            return False
        return True

    def matched(self) -> int:
        """How many readers there are."""
        if self.closed:
            return 0
        return int(self.entity._get_matched_subscriptions(self.entity._ref, None, 0))

    def matched_user_data(self) -> list[dict[str, str]]:
        """What the matched readers' processes wrote beside them."""
        found = []
        for handle in self.entity.get_matched_subscriptions():
            data = self.entity.get_matched_subscription_data(handle)
            if data is not None:
                found.append(parse_user_data(data.qos))
        return found

    def _on_status(self) -> None:
        status = self.entity.take_status()
        if status & DDSStatus.OfferedIncompatibleQos:
            found = self.entity.get_offered_incompatible_qos_status()
            policy = POLICY_NAMES.get(found.last_policy_id, str(found.last_policy_id))
            self.logger.warning(
                f"New subscription discovered on topic '{self.label}', requesting incompatible "
                f"QoS. No messages will be sent to it. Last incompatible policy: {policy}"
            )
        if status & DDSStatus.OfferedDeadlineMissed:
            self.complain("deadline", f"{self.label}: the offered deadline was missed")


class Reader(Endpoint):
    """Hands received messages to a function in the executor; what isn't a message is skipped."""

    def __init__(
        self,
        context: Context,
        logger: Logger,
        dds_name: str,
        ros_type: str,
        profile: QoSProfile,
        receive: Callable[[Any, Any], object],
        service: bool = False,
        extra: str = "",
    ) -> None:
        """receive: called with the message and its Cyclone sample (`.raw`, `.sample_info`)."""
        super().__init__(context, logger, dds_name, ros_type)
        self._receive, self._service = receive, service
        self.entity = DataReader(
            context.participant,
            context.topic(dds_name, ros_type, service),
            qos=to_dds(profile, user_data(ros_type, extra)),
        )
        self._condition = ReadCondition(self.entity, _ANY)
        self._watch_status(DDSStatus.RequestedIncompatibleQos | DDSStatus.RequestedDeadlineMissed)
        self._key = context.watch(self._condition, self._on_data)

    def close(self) -> None:
        if not self.closed:
            self.context.unwatch(self._condition, self._key)
            self._condition.__del__()
        super().close()

    def matched(self) -> int:
        """How many writers there are."""
        if self.closed:
            return 0
        return int(self.entity._get_matched_publications(self.entity._ref, None, 0))

    def matched_user_data(self) -> list[dict[str, str]]:
        """What the matched writers' processes wrote beside them."""
        found = []
        for handle in self.entity.get_matched_publications():
            data = self.entity.get_matched_publication_data(handle)
            if data is not None:
                found.append(parse_user_data(data.qos))
        return found

    def writer_user_data(self, handle: int) -> dict[str, str] | None:
        """What the process of one writer wrote beside it; None if it is gone."""
        data = self.entity.get_matched_publication_data(handle)
        return None if data is None else parse_user_data(data.qos)

    def _on_data(self) -> None:
        try:
            taken = self.entity.take(_TAKE)
        except DDSException:
            if self.closed:  # by another thread, just now
                return
            raise
        for each in taken:
            raw = getattr(each, "raw", None)
            if raw is None:  # no message: a writer went away
                continue
            try:
                body = raw[:4] + raw[20:] if self._service else raw
                message = messages.from_cdr(body, self.ros_type)
            except InputError as error:
                self.complain("garbage", f"{self.label}: skipped what can't be read: {error}")
                continue
            self.context.guarded(self._receive, self.logger, message, each)
            if self.closed:
                return

    def _on_status(self) -> None:
        status = self.entity.take_status()
        if status & DDSStatus.RequestedIncompatibleQos:
            found = self.entity.get_requested_incompatible_qos_status()
            policy = POLICY_NAMES.get(found.last_policy_id, str(found.last_policy_id))
            self.logger.warning(
                f"New publisher discovered on topic '{self.label}', offering incompatible QoS. "
                f"No messages will be received from it. Last incompatible policy: {policy}"
            )
        if status & DDSStatus.RequestedDeadlineMissed:
            self.complain("deadline", f"{self.label}: no message within the requested deadline")


class Publisher:
    """What `Node.create_publisher` returns."""

    def __init__(self, writer: Writer, topic: str) -> None:
        self._writer, self.topic = writer, topic

    @property
    def topic_name(self) -> str:
        """The absolute name."""
        return self.topic

    def publish(self, message: Any) -> None:
        """Send a message; from any thread.

        Raises:
            TypeError: it is of another type, or a field's value doesn't fit.
        """
        self._writer.write(message)

    def get_subscription_count(self) -> int:
        """How many subscriptions there are on the network."""
        return self._writer.matched()

    def destroy(self) -> None:
        """Leave the topic."""
        self._writer.close()


class Subscription:
    """What `Node.create_subscription` returns."""

    def __init__(self, reader: Reader, topic: str) -> None:
        self._reader, self.topic = reader, topic

    @property
    def topic_name(self) -> str:
        """The absolute name."""
        return self.topic

    def destroy(self) -> None:
        """Leave the topic."""
        self._reader.close()
